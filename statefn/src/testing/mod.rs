//! The test kit: what a user's tests need, without mocks and without waiting.

mod clock;
mod events_lock;
#[cfg(feature = "testing")]
pub mod laws;
pub mod oracle;
mod projected;
mod scenario;
#[cfg(feature = "testing")]
mod simulation;

#[doc(inline)]
pub use crate::__check_events_lock as check_events_lock;
#[cfg(statefn_planted)]
pub use crate::planted::{Mistake, plant};
pub use clock::VirtualClock;
pub use events_lock::{Difference, EventsLock, EventsLockError, LockMode};
pub use projected::ProjectionScenario;
pub use scenario::{
    After, Answer, Asked, CallList, EventList, Scenario, Testable, TimerList, Value, entity,
};
#[cfg(feature = "testing")]
pub use simulation::{
    Client, Faults, Reason, SimulatedCall, Simulation, SimulationFailure, Totals,
};
#[cfg(feature = "testing")]
pub use statefn_store::testing::{Dice, FaultCounts, FaultRates};
