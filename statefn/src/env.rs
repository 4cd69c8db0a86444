//! The one door through which time and tasks come in.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use statefn_store::Timestamp;

/// A boxed future, as [`Env`] takes and gives them.
pub type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Time and spawning, as the runtime sees them.
///
/// Production uses [`TokioEnv`]; tests use a clock that they move by hand
/// ([`testing::VirtualClock`](crate::testing::VirtualClock)), a simulator its own scheduler.
pub trait Env: Debug + Send + Sync + 'static {
    /// Time since an arbitrary start, never going back: for durations and deadlines.
    fn now(&self) -> Duration;

    /// The wall clock: what is stored with entries and what handlers see.
    fn wall(&self) -> Timestamp;

    /// A future that is ready once [`now`](Self::now) has moved on by `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture;

    /// Runs a future to its end, independent of whoever waits for it.
    fn spawn(&self, task: BoxFuture);

    /// Whether a run must repeat: the random numbers of a command then follow from what it is given
    /// and from nothing else. Two commands that are given the same get the same ones.
    fn repeats(&self) -> bool {
        false
    }
}

/// The tokio runtime that the process runs on, and the clocks of the machine.
#[derive(Debug)]
pub struct TokioEnv {
    handle: tokio::runtime::Handle,
    start: Instant,
}

impl TokioEnv {
    /// The tokio runtime of the calling task.
    ///
    /// # Errors
    ///
    /// Not called from within a tokio runtime.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn current() -> Result<Self, tokio::runtime::TryCurrentError> {
        let handle = tokio::runtime::Handle::try_current()?;
        Ok(Self {
            handle,
            start: Instant::now(),
        })
    }
}

impl Env for TokioEnv {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn wall(&self) -> Timestamp {
        wall_clock()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn sleep(&self, duration: Duration) -> BoxFuture {
        let _guard = self.handle.enter();
        Box::pin(tokio::time::sleep(duration))
    }

    fn spawn(&self, task: BoxFuture) {
        drop(self.handle.spawn(task));
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn wall_clock() -> Timestamp {
    let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis)
        }
    };
    Timestamp::from_millis(millis)
}
