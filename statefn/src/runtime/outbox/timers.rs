//! The timekeeper: hands over timers that are due, a window of them at a time.

use std::collections::HashSet;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use statefn_store::{OutboxNumber, Settled, StoreFailure, Tending, Timer, Timestamp};

use super::{Outbox, Post};
use crate::runtime::backoff::backoff;
use crate::runtime::engine::Engine;
use crate::runtime::shared::{Intake, Shared};
use crate::schedule::{Missed, Rule};
use crate::sync::Mutex;

/// So many due timers are in memory at a time.
const WINDOW: usize = 1024;

/// The wall clock is looked at this often at least: it may be set.
const LOOK_MAX: Duration = Duration::from_secs(60);

/// How long to wait before a store that failed is asked again.
const WAIT: Duration = Duration::from_millis(250);

/// What a postponement came to.
pub(super) enum Postponed {
    /// It waits in the store.
    Later,
    /// The timer was cancelled, set anew, or settled.
    Gone,
    /// The store could not.
    Failed,
}

/// Looks after timers until the runtime ends.
pub(super) async fn keep(engine: Weak<Engine>, started: Timestamp) {
    loop {
        let Some(shared) = engine.upgrade().map(|engine| Arc::clone(engine.shared())) else {
            return;
        };
        if shared.intake() != Intake::Open {
            return;
        }
        let wait = match look(&shared, started).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "timers cannot be read");
                Some(WAIT)
            }
        };
        shared.outbox.moved.notify_waiters();
        let sleep = wait.map(|wait| shared.env.sleep(wait.min(LOOK_MAX)));
        let bell = Arc::clone(&shared.outbox.bell);
        // Whoever waits holds nothing: a runtime that is dropped lets its store go.
        drop(shared);
        let mut rung = pin!(bell.notified());
        let mut sleep = sleep;
        poll_fn(|cx| {
            if rung.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            match &mut sleep {
                Some(sleep) => sleep.as_mut().poll(cx),
                None => Poll::Pending,
            }
        })
        .await;
    }
}

/// Hands over what is due. How long until there is more, if it is known.
async fn look(shared: &Arc<Shared>, started: Timestamp) -> Result<Option<Duration>, StoreFailure> {
    if shared.outbox.is_being_read() {
        // Whoever has read it rings.
        return Ok(None);
    }
    let now = shared.env.wall();
    // One that ends while the store is read is on the page all the same; whoever is done rings.
    let under_way = shared.outbox.timers_under_way();
    let page = shared.store.timers(now, WINDOW).await?;
    let is_full = page.len() == WINDOW;
    let mut posts = Vec::new();
    for timer in page {
        if !under_way.contains(&timer.number) {
            posts.extend(fire(shared, timer, now, started).await);
        }
    }
    shared.outbox.accept(posts);
    if is_full {
        // Whoever is done rings.
        return Ok(None);
    }
    let end = Timestamp::from_millis(i64::MAX);
    let under_way = shared.outbox.timers_under_way();
    let page = shared.store.timers(end, under_way.len() + 1).await?;
    let next = page.iter().find(|timer| !under_way.contains(&timer.number));
    Ok(next.map(|timer| {
        let millis = timer.wake.as_millis().saturating_sub(now.as_millis());
        Duration::from_millis(u64::try_from(millis).unwrap_or(0).max(1))
    }))
}

/// The call of a timer that is due; nothing if this firing is passed over.
async fn fire(shared: &Shared, timer: Timer, now: Timestamp, started: Timestamp) -> Option<Post> {
    let Timer {
        number,
        owner,
        due,
        schedule,
        call,
        ..
    } = timer;
    let rule = Rule::decode(&schedule);
    let next = rule
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|r| r.next(due, now));
    let settles = |next| Settled::Timer { number, due, next };
    let (next, missed) = match (next, rule) {
        (Ok(next), Ok(rule)) => (next, rule.missed),
        (Err(reason), _) | (_, Err(reason)) => {
            tracing::error!(%number, reason, "a timer's schedule cannot be read");
            let reason = format!("its schedule cannot be read: {reason}");
            let letter = Tending::Bury {
                call: settles(None),
                reason,
                attempts: 0,
            };
            let _ = shared.store.tend(shared.epoch(), vec![letter]).await;
            return None;
        }
    };
    let settles = settles(next);
    if missed == Missed::Skip && due < started {
        let _ = shared
            .store
            .tend(shared.epoch(), vec![Tending::Pass(settles)])
            .await;
        shared.outbox.bell.notify_one();
        return None;
    }
    Some(Post {
        sender: owner,
        call,
        settles,
        awaited: Mutex::new(None),
        _seat: None,
    })
}

/// Lets a timer whose target has failed wait in the store, out of the way of others.
pub(super) async fn postpone(shared: &Shared, post: &Post, counts: bool) -> (Postponed, u32) {
    let Settled::Timer { number, due, .. } = post.settles else {
        return (Postponed::Failed, 0);
    };
    let (failures, attempts) = shared.outbox.failed_again(number, counts);
    let wait = i64::try_from(backoff(failures).as_millis()).unwrap_or(i64::MAX);
    let wake = shared.env.wall().as_millis().saturating_add(wait);
    let postpone = Tending::Postpone {
        number,
        due,
        wake: Timestamp::from_millis(wake),
    };
    let postponed = match shared.store.tend(shared.epoch(), vec![postpone]).await {
        Ok(done) if done.first() == Some(&true) => Postponed::Later,
        Ok(_) => Postponed::Gone,
        Err(_) => Postponed::Failed,
    };
    (postponed, attempts)
}

impl Outbox {
    fn is_being_read(&self) -> bool {
        self.lock().late.is_some()
    }

    /// The timers that are in the queues.
    fn timers_under_way(&self) -> HashSet<OutboxNumber> {
        let state = self.lock();
        let timers = state.known.iter().filter(|(_, is_timer)| *is_timer);
        timers.map(|(number, _)| *number).collect()
    }

    /// Counts a failure of a timer's target: all of them, and those that count.
    fn failed_again(&self, number: OutboxNumber, counts: bool) -> (u32, u32) {
        /// Beyond this many, failures are counted from one again.
        const FAILING_MAX: usize = 10_000;
        let mut state = self.lock();
        if state.failing.len() >= FAILING_MAX && !state.failing.contains_key(&number) {
            return (1, u32::from(counts));
        }
        let (failures, attempts) = state.failing.entry(number).or_default();
        *failures += 1;
        *attempts += u32::from(counts);
        (*failures, *attempts)
    }
}
