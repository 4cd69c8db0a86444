//! Stateful functions inside your own process.
//!
//! Annotate a struct with `#[entity]`; every keyed instance of it becomes a durable,
//! one-command-at-a-time entity that keeps its state in memory and acknowledges nothing that is
//! not on stable storage.

pub mod admin;
pub mod codec;
pub mod command;
pub mod context;
pub mod entity;
pub mod env;
pub mod event;
pub mod metadata;
pub mod reply;
pub mod shape;
pub mod testing;

mod call;
mod call_error;
mod definition;
mod hash;
mod history;
mod limits;
mod runtime;
mod system;

pub mod prelude;

#[doc(hidden)]
pub mod __private;

pub use admin::{Admin, SkipError, Verification};
pub use call::{Call, Running};
pub use call_error::{CallError, Overload, Persisted, Quarantine};
pub use context::Context;
pub use history::HistoryEvent;
pub use limits::Limits;
pub use metadata::Metadata;
pub use reply::{Infallible, Then};
pub use statefn_macros::{Event, command, entity, event_handler, main, query, test};
pub use statefn_store as store;
pub use statefn_store::{Offset, PersistenceId, SequenceNumber, Timestamp};
#[cfg(feature = "sqlite")]
pub use statefn_store::{OpenError, Sqlite};
pub use system::{BuildError, Builder, EntitySet, Runtime};
