//! Holds: a test stops a call of the store and looks around before it lets the call go on.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

/// Calls wait here until the test lets them go on; made by [`Faulty::hold`](super::Faulty::hold)
/// and [`Faulty::hold_answer`](super::Faulty::hold_answer).
///
/// Dropping it lets every call go on, so a failing test never leaves a store that hangs.
///
/// ```
/// use statefn_store::testing::{Call, Faulty, block_on};
/// use statefn_store::{Memory, Store};
///
/// let store = Faulty::new(Memory::new());
/// let hold = store.hold(Call::Claim);
/// std::thread::scope(|scope| {
///     let claim = scope.spawn(|| block_on(store.claim()));
///     block_on(hold.reached(1));
///     // The claim is under way: look around, plan a fault, and let it go on.
///     store.fail(Call::Claim, 1);
///     hold.release();
///     assert!(claim.join().unwrap().is_err());
/// });
/// ```
#[derive(Debug)]
#[must_use = "dropping a hold releases it at once"]
pub struct Hold {
    stop: Arc<Stop>,
}

/// The store's side of a hold.
#[derive(Debug)]
pub(super) struct Stop {
    arrived: watch::Sender<usize>,
    /// One permit lets one call go on; closed, it lets all of them.
    passes: Semaphore,
}

impl Hold {
    pub(super) fn new() -> Self {
        Self {
            stop: Arc::new(Stop {
                arrived: watch::Sender::new(0),
                passes: Semaphore::new(0),
            }),
        }
    }

    pub(super) fn stop(&self) -> Arc<Stop> {
        Arc::clone(&self.stop)
    }

    /// Waits until `count` calls have arrived here since the hold was set, those let go included.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time without effect.
    pub async fn reached(&self, count: usize) {
        let mut arrivals = self.stop.arrived.subscribe();
        // The sender lives in `self`, so that the wait cannot end early.
        let _ = arrivals.wait_for(|arrived| *arrived >= count).await;
    }

    /// How many calls have arrived here since the hold was set, those let go included.
    pub fn arrived(&self) -> usize {
        *self.stop.arrived.borrow()
    }

    /// Lets one call go on, in order of arrival; the next one to arrive, if none is waiting.
    pub fn release_one(&self) {
        self.stop.passes.add_permits(1);
    }

    /// Lets every call go on and ends the hold.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.stop.passes.close();
    }
}

impl Stop {
    /// Waits until the test lets this call go on.
    pub(super) async fn wait(&self) {
        self.arrived.send_modify(|arrived| *arrived += 1);
        if let Ok(pass) = self.passes.acquire().await {
            pass.forget();
        }
    }
}
