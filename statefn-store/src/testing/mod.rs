//! What a backend and its users test with: the conformance suite and planted faults.

mod block_on;
mod faulty;

pub use block_on::block_on;
pub use faulty::{Call, CommitFault, Faulty, Hold};
