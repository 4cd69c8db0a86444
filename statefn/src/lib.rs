//! Stateful functions inside your own process.
//!
//! Annotate a struct, and every keyed instance of it (a cart, a user, a chat room) is a durable
//! **entity**: it handles one command after another, keeps its state in memory, and answers
//! nothing before what the answer depends on is on stable storage. A library and a file; no
//! server.
//!
//! ```standalone_crate
//! use serde::{Deserialize, Serialize};
//! use statefn::prelude::*;
//!
//! #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
//! pub enum TallyEvent {
//!     Added { amount: u64 },
//! }
//!
//! /// Counts.
//! #[entity(event_sourced, name = "tally")]
//! #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
//! pub struct Tally {
//!     total: u64,
//! }
//!
//! #[entity]
//! impl Tally {
//!     /// Adds to the total and answers it.
//!     #[command]
//!     fn add(&self, ctx: &mut Context<Self>, amount: u64) -> Result<Then<Self, u64>, String> {
//!         if amount == 0 {
//!             return Err("nothing to add".to_owned());
//!         }
//!         ctx.emit(TallyEvent::Added { amount });
//!         Ok(ctx.then(|tally| tally.total))
//!     }
//!
//!     #[query]
//!     fn total(&self) -> u64 {
//!         self.total
//!     }
//!
//!     #[event_handler]
//!     fn apply(&mut self, event: &TallyEvent) {
//!         let TallyEvent::Added { amount } = event;
//!         self.total = self.total.saturating_add(*amount);
//!     }
//! }
//!
//! #[statefn::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let runtime = Runtime::builder().build().await?;
//!     let visits = runtime.entity::<Tally>("visits");
//!     assert_eq!(visits.add(3).await?, 3);
//!     assert_eq!(visits.add(0).await, Err(CallError::Rejected("nothing to add".to_owned())));
//!     assert_eq!(visits.total().await?, 3);
//!     Ok(())
//! }
//! ```
//!
//! # Entities
//!
//! [`#[entity]`](macro@entity) on the struct holds the options and makes `TallyRef`; on the impl
//! it gives that reference a method for each command and query. [`Runtime::entity`] makes a
//! reference; nothing is loaded before its first call. An entity that was never used has its
//! default state; one that was idle for a while leaves memory and comes back when it is needed.
//!
//! # Events
//!
//! State is the fold of events. A [`#[command]`](macro@command) decides and emits; the
//! [`#[event_handler]`](macro@event_handler) changes the state, now and at every replay. Events are
//! stored under names and versions that [`derive(Event)`](macro@Event) declares, and older versions
//! go through upcasters. A snapshot now and then keeps replays short; one whose
//! [shape](shape::Shape) is not the program's any more is dropped, never misread.
//!
//! # State that is stored whole
//!
//! `#[entity(crud)]` is for state whose history nobody needs: a command takes `&mut self` and changes
//! it in place. It works on a copy, so after an `Err` or a panic the state is what it was; a change
//! is stored as the whole state, under a version and the hash of its shape. All the rest is as for
//! event-sourced entities. [`Context::delete`] deletes either kind.
//!
//! # State that replicas merge
//!
//! [`crdt`] has counters, sets, maps, registers and votes that several replicas change at the same
//! time, `derive(Crdt)` for structs of them, and `#[entity(crdt)]` stores such a state as the deltas of its
//! commands. Runtimes do not exchange them by themselves yet.
//!
//! # Commands and queries
//!
//! A method of a reference makes a [`Call`]: a value. `.await` runs it, [`Call::wait`] runs it from
//! a thread outside an async runtime, and dropping it does nothing. [`Call::with_key`] makes a
//! command take effect at most once however often it is sent; [`Call::with_deadline`] bounds the
//! wait; [`Call::with_metadata`] sends headers along that are stored with the events.
//! A [`#[query]`](macro@query) only reads.
//!
//! # Errors
//!
//! [`CallError::Rejected`] is the entity's own no. Every other [`CallError`] is machinery, and says
//! whether the command took effect ([`CallError::persisted`]) and whether to try again
//! ([`CallError::is_retryable`]). After [`CallError::OutcomeUnknown`], send the command again
//! under the same key.
//!
//! # Stores
//!
//! Without a store everything lives in memory and ends with the process: [`Memory`](store::Memory),
//! for tests. [`Sqlite`] keeps everything in one file, owned by one process at a
//! time. Others implement [`store::Store`]; its page states what the runtime and a store owe each
//! other, and the feature `testing` of `statefn-store` has the suite that checks it.
//!
//! # Testing
//!
//! See [`testing`]: scenarios, and with the feature `testing` whole simulations. A runtime on the in-memory store is a few microseconds away, its time can be
//! moved by hand, and [`Runtime::crash`] forgets all that is not committed.
//!
//! # Limits
//!
//! Every queue, batch and table is bounded by [`Limits`]; what does not fit is answered
//! [`CallError::Overloaded`].
//!
//! # Operators
//!
//! [`Runtime::admin`] lists entities that cannot be recovered, with a way out for each, checks and
//! copies the store. The library writes `tracing` spans without payloads and installs no
//! subscriber.
//!
//! # Features
//!
//! - `sqlite` (default): the embedded SQLite store. It is compiled from source, so a C compiler is
//!   needed.
//! - `testing`: the simulator and planted faults, for `[dev-dependencies]`.

#[macro_use]
mod planted;

pub mod action;
pub mod admin;
pub mod codec;
pub mod command;
pub mod context;
pub mod crdt;
pub mod effect;
pub mod entity;
pub mod env;
pub mod event;
pub mod forward;
pub mod metadata;
pub mod projection;
pub mod reading;
pub mod reply;
pub mod schedule;
pub mod shape;
pub mod testing;
pub mod view;

mod call;
mod call_error;
mod chain;
mod hash;
mod history;
mod infallible;
mod limits;
mod purge;
mod random;
mod runtime;
mod sync;
mod system;

pub mod prelude;

#[doc(hidden)]
pub mod __private;

pub use action::{ActionContext, ActionError, ActionInfo, Items};
pub use admin::{Admin, PassOverError, SkipError, Verification};
pub use call::{Call, Running};
pub use call_error::{CallError, Forwarded, Overload, Persisted, Quarantine};
pub use chain::CommandId;
pub use context::Context;
pub use forward::Forward;
pub use history::HistoryEvent;
pub use infallible::Infallible;
pub use limits::Limits;
pub use metadata::Metadata;
pub use projection::{Envelope, Removal, Views};
pub use purge::{PURGE_HEADER, PurgeError};
pub use reading::{ReadError, ViewReader};
pub use reply::Then;

#[doc = include_str!("docs/event.md")]
pub use statefn_macros::Event;
#[doc = include_str!("docs/action.md")]
pub use statefn_macros::action;
#[doc = include_str!("docs/command.md")]
pub use statefn_macros::command;
#[doc = include_str!("docs/entity.md")]
pub use statefn_macros::entity;
#[doc = include_str!("docs/event_handler.md")]
pub use statefn_macros::event_handler;
#[doc = include_str!("docs/main.md")]
pub use statefn_macros::main;
#[doc = include_str!("docs/projection.md")]
pub use statefn_macros::projection;
#[doc = include_str!("docs/query.md")]
pub use statefn_macros::query;
#[doc = include_str!("docs/removal_handler.md")]
pub use statefn_macros::removal_handler;
#[doc = include_str!("docs/test.md")]
pub use statefn_macros::test;
#[doc = include_str!("docs/view.md")]
pub use statefn_macros::view;

pub use runtime::projector::{ProjectionState, ProjectionStatus, StoppedAt};
pub use statefn_store as store;
pub use statefn_store::{Offset, PersistenceId, SequenceNumber, Timestamp};
#[cfg(feature = "sqlite")]
pub use statefn_store::{OpenError, Sqlite};
pub use system::{BuildError, Builder, EntitySet, Runtime};
