//! What the fuzz targets do with their input.
//!
//! Each target is a module with `run`, which panics where a promise does not hold, and `seeds`,
//! inputs to begin with. A fuzzer calls `run` (the package in `fuzz/`), and so does an ordinary test
//! (`tests/replay.rs`) with all seeds, the inputs kept in `corpus/` and mutations of both.
//!
//! An input never decides what is right: a plain model beside the real thing does.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a fuzz target answers by panicking"
)]

pub mod database;
pub mod entry;
pub mod key;
pub mod lines;
pub mod metadata;
pub mod operations;
pub mod snapshot;

mod basket;
/// The shopping cart's own, so that what it reads is tried and not a copy.
#[path = "../../../examples/shopping-cart/src/cart.rs"]
mod cart;
mod disk;
mod input;
mod model;
mod tally;
mod tape;
mod world;

/// One fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its module, its binary and its corpus.
    pub name: &'static str,
    /// Tries one input.
    pub run: fn(&[u8]),
    /// Inputs to begin with: the same ones every time.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

macro_rules! targets {
    ($($name:ident)*) => {
        /// Every target.
        pub const TARGETS: &[Target] = &[$(Target {
            name: stringify!($name),
            run: $name::run,
            seeds: $name::seeds,
        }),*];
    };
}

targets!(entry snapshot key metadata lines database operations);
