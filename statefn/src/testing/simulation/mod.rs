//! Deterministic simulation: entities under every fault that a seed can think of.

mod change;
mod client;
mod errand;
mod failure;
mod faults;
mod history;
mod judge;
mod plan;
mod run;
mod simulate;
mod stage;
mod storage;
mod totals;
mod world;

pub use client::Client;
pub use errand::SimulatedCall;
pub use failure::{Reason, SimulationFailure};
pub use faults::Faults;
pub use simulate::Simulation;
pub use totals::Totals;
