//! The machinery: shards, activations, recovery, speculation and gate.
//!
//! [`step`] and [`core`] decide and are pure; [`shard`] and [`engine`] wait.

mod activation;
mod backoff;
pub(crate) mod budget;
pub(crate) mod check;
pub(crate) mod core;
pub(crate) mod deadline;
pub(crate) mod decision;
pub(crate) mod definition;
pub(crate) mod delivery;
pub(crate) mod engine;
pub(crate) mod forwarding;
pub(crate) mod handler;
pub(crate) mod hosted;
mod idle;
pub(crate) mod isolate;
mod keys;
mod leash;
pub(crate) mod outbox;
pub(crate) mod outcome;
mod panics;
mod pipeline;
mod place;
pub(crate) mod projector;
pub(crate) mod recovery;
pub(crate) mod resident;
pub(crate) mod sending;
pub(crate) mod shard;
pub(crate) mod shared;
pub(crate) mod slot;
mod spans;
pub(crate) mod step;
mod stop;
mod table;
#[cfg(all(test, statefn_loom))]
mod tests;
mod whole_state;
