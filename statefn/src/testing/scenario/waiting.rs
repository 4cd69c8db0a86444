//! Async handlers in a scenario: run as far as they go by themselves.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Who wakes itself more often waits for something.
const POLLS_MAX: usize = 10_000;

/// Runs a future that needs nobody else.
pub(super) fn alone<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    for _ in 0..POLLS_MAX {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Ok(output);
        }
        if !woken.0.swap(false, Ordering::AcqRel) {
            break;
        }
    }
    Err(
        "the handler waits for something that a scenario does not have: time, or somebody else's \
         answer; run it in a runtime"
            .to_owned(),
    )
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}
