//! The test kit: what a user's tests need, without mocks and without waiting.

mod clock;
mod events_lock;
pub mod oracle;
mod scenario;

#[doc(inline)]
pub use crate::__check_events_lock as check_events_lock;
pub use clock::VirtualClock;
pub use events_lock::{Difference, EventsLock, EventsLockError, LockMode};
pub use scenario::{After, Answer, Asked, EventList, Scenario, Testable, Value};
