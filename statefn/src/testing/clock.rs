//! A clock that a test moves by hand.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use statefn_store::Timestamp;
use tokio::runtime::Handle;

use crate::env::{BoxFuture, Env};

/// Time that stands still until a test moves it. Clones share it.
///
/// Given to [`Builder::env`](crate::Builder::env) it drives passivation, deadlines, retention of
/// keys and what handlers see as `ctx.now()`. Tasks run on the tokio runtime in which
/// the runtime was built.
///
/// ```
/// use statefn::testing::VirtualClock;
/// use std::time::Duration;
///
/// let clock = VirtualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().as_millis() - before.as_millis(), 60_000);
/// ```
#[derive(Clone, Debug, Default)]
pub struct VirtualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    now: Duration,
    /// The tokio runtime of the last task that spawned, for threads that have none.
    tokio: Option<Handle>,
    sleepers: Vec<(Duration, Waker)>,
}

/// 2026-01-01T00:00:00Z: a fixed start, so that runs repeat.
const START: i64 = 1_767_225_600_000;

impl VirtualClock {
    /// A clock that stands at 2026-01-01T00:00:00Z.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time on the clock.
    pub fn now(&self) -> Timestamp {
        self.wall()
    }

    /// Moves the clock and wakes everybody whose time has come.
    pub fn advance(&self, by: Duration) {
        let due: Vec<Waker> = {
            let mut state = self.lock();
            state.now = state.now.saturating_add(by);
            let now = state.now;
            let (due, later) = std::mem::take(&mut state.sleepers)
                .into_iter()
                .partition::<Vec<_>, _>(|(until, _)| *until <= now);
            state.sleepers = later;
            due.into_iter().map(|(_, waker)| waker).collect()
        };
        due.into_iter().for_each(Waker::wake);
    }
}

impl Env for VirtualClock {
    fn now(&self) -> Duration {
        self.lock().now
    }

    fn wall(&self) -> Timestamp {
        let elapsed = i64::try_from(self.lock().now.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(START.saturating_add(elapsed))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture {
        let until = self.lock().now.saturating_add(duration);
        Box::pin(Sleep {
            clock: self.clone(),
            until,
        })
    }

    /// # Panics
    ///
    /// Nobody has spawned anything inside a tokio runtime before: not so once a statefn runtime
    /// has been built.
    #[expect(
        clippy::expect_used,
        reason = "a test without a tokio runtime has gone wrong"
    )]
    fn spawn(&self, task: BoxFuture) {
        let handle = {
            let mut state = self.lock();
            if let Ok(current) = Handle::try_current() {
                state.tokio = Some(current);
            }
            state.tokio.clone().expect("a tokio runtime")
        };
        drop(handle.spawn(task));
    }
}

struct Sleep {
    clock: VirtualClock,
    until: Duration,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        if state.now >= self.until {
            return Poll::Ready(());
        }
        let known = |(until, waker): &(Duration, Waker)| {
            *until == self.until && waker.will_wake(cx.waker())
        };
        if !state.sleepers.iter().any(known) {
            state.sleepers.push((self.until, cx.waker().clone()));
        }
        Poll::Pending
    }
}
