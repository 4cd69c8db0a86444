//! Stateful functions inside your own process.
//!
//! Annotate a struct with `#[entity]`; every keyed instance of it becomes a durable,
//! one-command-at-a-time entity that keeps its state in memory and acknowledges nothing that is
//! not on stable storage.

pub mod codec;
pub mod command;
pub mod context;
pub mod definition;
pub mod entity;
pub mod event;
pub mod metadata;
pub mod reply;
pub mod shape;

mod client;
pub mod prelude;

#[doc(hidden)]
pub mod __private;

pub use client::{Call, CallError, Runtime};
pub use context::Context;
pub use metadata::Metadata;
pub use reply::Then;
pub use statefn_store as store;
pub use statefn_store::{Offset, PersistenceId, SequenceNumber, Timestamp};
