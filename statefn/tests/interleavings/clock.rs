//! Time that a model moves, and tasks of the model's scheduler.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use shuttle::rand::Rng;
use statefn::Timestamp;
use statefn::env::{BoxFuture, Env};

/// Clones share the time. Nothing in here is a place to switch threads, except for wake-ups.
#[derive(Clone, Default)]
pub(crate) struct Clock {
    state: Arc<Mutex<State>>,
    /// Tasks that were spawned and have not ended.
    tasks: Arc<AtomicUsize>,
    /// Whether time moves a little with each look at it, so that visitors of a shard have enough.
    restless: bool,
}

#[derive(Default)]
struct State {
    now: Duration,
    sleepers: Vec<(Duration, Waker)>,
}

impl Clock {
    pub(crate) fn restless() -> Self {
        Self {
            restless: true,
            ..Self::default()
        }
    }

    /// How many tasks have not ended.
    pub(crate) fn tasks(&self) -> usize {
        self.tasks.load(Ordering::Relaxed)
    }

    /// Moves the time and wakes whose time has come.
    pub(crate) fn advance(&self, by: Duration) {
        let due = {
            let mut state = self.state.lock().unwrap();
            state.now += by;
            let now = state.now;
            let sleepers = std::mem::take(&mut state.sleepers);
            let (due, later) = sleepers.into_iter().partition(|(until, _)| *until <= now);
            state.sleepers = later;
            let due: Vec<(Duration, Waker)> = due;
            due
        };
        for (_, waker) in due {
            waker.wake();
        }
    }
}

impl Env for Clock {
    fn now(&self) -> Duration {
        let mut state = self.state.lock().unwrap();
        if self.restless && shuttle::rand::thread_rng().gen_bool(0.5) {
            state.now += Duration::from_micros(101);
        }
        state.now
    }

    fn wall(&self) -> Timestamp {
        let now = self.state.lock().unwrap().now;
        Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap())
    }

    fn sleep(&self, duration: Duration) -> BoxFuture {
        Box::pin(Sleep {
            until: self.state.lock().unwrap().now + duration,
            state: Arc::clone(&self.state),
        })
    }

    fn spawn(&self, task: BoxFuture) {
        self.tasks.fetch_add(1, Ordering::Relaxed);
        let tasks = Arc::clone(&self.tasks);
        drop(shuttle::future::spawn(async move {
            task.await;
            tasks.fetch_sub(1, Ordering::Relaxed);
        }));
    }
}

struct Sleep {
    until: Duration,
    state: Arc<Mutex<State>>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock().unwrap();
        if state.now >= self.until {
            return Poll::Ready(());
        }
        state.sleepers.push((self.until, cx.waker().clone()));
        Poll::Pending
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
