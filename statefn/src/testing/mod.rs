//! The test kit: what a user's tests need, without mocks and without waiting.

mod clock;
mod scenario;

pub use clock::VirtualClock;
pub use scenario::{After, Answer, Asked, EventList, Scenario, Testable, Value};
