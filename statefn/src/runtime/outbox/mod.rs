//! Effects on their way: what the store keeps is delivered, in order for each sender and target.
//!
//! A queue in memory for each pair of sender and target, and a task, its courier, while there is
//! something in it. What is in memory is what is in the store: effects come here when they have
//! committed, and all are read again after a start, a crash, or a failure of the store.

mod address;
mod addressed;
mod courier;
mod departure;
mod group;
mod reading;
mod timers;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, OnceLock, PoisonError, Weak};

use statefn_store::{OutboxNumber, PersistenceId, Settled, StoredCall};

use crate::env::BoxFuture;
use crate::runtime::budget::Seat;
use crate::runtime::engine::Engine;
use crate::runtime::leash::Leash;
use crate::sync::{Mutex, MutexGuard};
pub(super) use addressed::Addressed;
pub(super) use departure::depart;
use group::{Awaited, Group};

/// A sender and a target: what is sent from one to the other keeps its order.
type Pair = (PersistenceId, PersistenceId);

/// What waits for its delivery.
pub(crate) struct Outbox {
    state: Mutex<State>,
    engine: OnceLock<Weak<Engine>>,
    /// The tasks that read the store.
    leashes: Mutex<Vec<Weak<Leash>>>,
    /// Rings when something has moved.
    pub(crate) moved: tokio::sync::Notify,
    /// Rings when a timer was set, or one that was due is done.
    pub(crate) bell: Arc<tokio::sync::Notify>,
}

#[derive(Default)]
struct State {
    queues: BTreeMap<Pair, Queue>,
    /// What is in the queues.
    known: HashSet<(OutboxNumber, bool)>,
    /// What commits while the store is read.
    late: Option<Vec<Post>>,
    /// Whether the store has more than there is room for.
    has_more: bool,
    /// Timers whose targets have failed: how often, and how often it counted.
    failing: HashMap<OutboxNumber, (u32, u32)>,
    /// Rises with each reading of the store.
    readings: u64,
    /// Rises when everything in memory is dropped.
    generation: u64,
}

struct Queue {
    posts: VecDeque<Arc<Post>>,
    /// Whether its courier waits before it tries again.
    is_resting: bool,
}

/// One call that waits for its delivery.
pub(super) struct Post {
    pub(super) sender: PersistenceId,
    pub(super) call: StoredCall,
    /// What leaves the store with the delivery.
    pub(super) settles: Settled,
    /// A reply that waits for the first attempt.
    pub(super) awaited: Mutex<Option<Awaited>>,
    /// Counts it among what waits.
    pub(super) _seat: Option<Seat>,
}

impl Post {
    fn pair(&self) -> Pair {
        (self.sender.clone(), self.call.target.clone())
    }

    fn is_timer(&self) -> bool {
        matches!(self.settles, Settled::Timer { .. })
    }

    /// Tells an effect from a timer of the same number.
    fn identity(&self) -> (OutboxNumber, bool) {
        (self.settles.number(), self.is_timer())
    }

    fn is_awaited(&self) -> bool {
        let awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        awaited.is_some()
    }

    /// The first attempt has ended: nobody's reply waits for another one.
    fn answered(&self) {
        let awaited = {
            let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
            awaited.take()
        };
        drop(awaited);
    }
}

impl Outbox {
    /// An outbox that knows nothing yet.
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            engine: OnceLock::new(),
            leashes: Mutex::default(),
            moved: tokio::sync::Notify::new(),
            bell: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins: reads what an earlier process left.
    pub(super) fn start(&self, engine: &Arc<Engine>) {
        // A second start would be of the same engine.
        let _first = self.engine.set(Arc::downgrade(engine));
        self.read_again();
        let started = engine.shared().env.wall();
        let keeper = timers::keep(Arc::downgrade(engine), started);
        self.spawn(engine, Box::pin(keeper));
    }

    /// Spawns a task that ends with the runtime.
    fn spawn(&self, engine: &Engine, task: BoxFuture) {
        let (leash, task) = Leash::new(task);
        let mut leashes = self.leashes.lock().unwrap_or_else(PoisonError::into_inner);
        leashes.retain(|leash| leash.strong_count() > 0);
        leashes.push(Arc::downgrade(&leash));
        drop((leashes, leash));
        engine.shared().env.spawn(Box::pin(task));
    }

    /// The runtime is gone: its tasks are.
    pub(crate) fn end(&self) {
        let leashes = {
            let mut leashes = self.leashes.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *leashes)
        };
        leashes
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|leash| leash.end());
    }

    /// Takes calls that have committed.
    pub(super) fn accept(&self, posts: Vec<Post>) {
        let mut state = self.lock();
        if let Some(late) = &mut state.late {
            late.extend(posts);
            return;
        }
        let (pairs, generation) = (state.enqueue(posts), state.generation);
        drop(state);
        self.send_couriers(pairs, generation);
    }

    /// Forgets everything in memory and reads the store: what a crash leaves.
    pub(super) fn crashed(&self) {
        let mut state = self.lock();
        state.generation += 1;
        state.known.clear();
        let late = state.late.take();
        let queues = std::mem::take(&mut state.queues);
        drop(state);
        drop((queues, late));
        self.read_again();
        self.bell.notify_one();
    }

    /// The runtime stops: what waits stays in the store, and no reply waits for it.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.known.clear();
        let gone = (std::mem::take(&mut state.queues), state.late.take());
        drop(state);
        drop(gone);
    }

    /// How many calls are in memory, and how many of them wait behind a failed attempt; `None`
    /// while the store is read.
    pub(crate) fn waiting(&self) -> Option<(usize, usize)> {
        let state = self.lock();
        if state.late.is_some() || state.has_more {
            return None;
        }
        let resting = state.queues.values().filter(|queue| queue.is_resting);
        let resting = resting.map(|queue| queue.posts.len()).sum();
        Some((state.known.len(), resting))
    }

    fn send_couriers(&self, pairs: Vec<Pair>, generation: u64) {
        let Some(engine) = self.engine.get().and_then(Weak::upgrade) else {
            return;
        };
        for pair in pairs {
            courier::send(&engine, pair, generation);
        }
    }
}

impl State {
    /// Puts calls into their queues; answers the pairs that had nothing to do before.
    fn enqueue(&mut self, posts: Vec<Post>) -> Vec<Pair> {
        let mut idle = Vec::new();
        for post in posts {
            if !self.known.insert(post.identity()) {
                continue;
            }
            let pair = post.pair();
            let queue = self.queues.entry(pair.clone()).or_insert_with(|| {
                idle.push(pair);
                Queue {
                    posts: VecDeque::new(),
                    is_resting: false,
                }
            });
            queue.posts.push_back(Arc::new(post));
        }
        idle
    }
}
