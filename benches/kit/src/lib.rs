//! What every process of the benchmarks needs: the cart's data, load, and samples.
//!
//! No SQLite in here: two processes with different ones share it.

pub mod data;
pub mod load;
pub mod sample;

pub use load::{Caller, Load};
pub use sample::Sample;
