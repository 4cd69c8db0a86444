//! What an entity's module needs: `use statefn::prelude::*;`.

pub use statefn_macros::{
    Event, action, command, entity, event_handler, projection, query, removal_handler, view,
};

pub use crate::action::{ActionContext, Items};
pub use crate::call_error::{CallError, Persisted};
pub use crate::context::Context;
pub use crate::forward::Forward;
pub use crate::limits::Limits;
pub use crate::projection::{Envelope, Removal, ViewError, Views};
pub use crate::reply::Then;
pub use crate::system::Runtime;
pub use statefn_store::Memory;
#[cfg(feature = "sqlite")]
pub use statefn_store::Sqlite;
