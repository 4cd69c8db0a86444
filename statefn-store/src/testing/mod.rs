//! What a backend and its users test with: the conformance suite and planted faults.

mod block_on;
mod conformance;
mod dice;
mod faulty;
mod fixture;

pub use block_on::block_on;
pub use conformance::{Clause, check, clauses};
pub use dice::Dice;
pub use faulty::{Call, CommitFault, FaultCounts, FaultRates, Faulty, Hold};
pub use fixture::{Fixture, Work};
