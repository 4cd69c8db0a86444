//! The test kit: what a user's tests need, without mocks and without waiting.

mod clock;

pub use clock::VirtualClock;
