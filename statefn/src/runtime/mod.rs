//! The machinery: shards, activations, recovery, speculation and gate.
//!
//! [`step`] and [`core`] decide and are pure; [`shard`], [`store_work`] and [`engine`] wait.

mod activation;
pub(crate) mod budget;
pub(crate) mod check;
pub(crate) mod core;
pub(crate) mod decision;
pub(crate) mod engine;
pub(crate) mod hosted;
mod idle;
pub(crate) mod isolate;
mod keys;
mod outcome;
mod panics;
mod pipeline;
pub(crate) mod recovery;
pub(crate) mod shard;
pub(crate) mod shared;
pub(crate) mod slot;
mod spans;
pub(crate) mod step;
mod store_work;
mod table;
