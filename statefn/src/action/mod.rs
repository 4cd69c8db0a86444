//! Actions: handlers without a state of their own, that call entities.
//!
//! See [`#[action]`](macro@crate::action). A runtime hosts those that it was given by
//! [`Builder::action`](crate::Builder::action), lists them by
//! [`Runtime::actions`](crate::Runtime::actions), and runs one by name, on encoded values, by
//! [`Runtime::invoke`](crate::Runtime::invoke): all that a door to the outside needs.

mod hosted;
mod invocation;
mod items;

use std::fmt;
use std::sync::Arc;

use crate::call::Handle;
use crate::entity::{Behavior, EntityRef};
use crate::runtime::engine::Engine;

pub(crate) use hosted::HostedActions;
pub use hosted::{ActionInfo, HandlerInfo};
pub use invocation::{ActionError, Answered, Handler, Invocation};
pub use items::Items;

/// A type whose handlers a runtime hosts. Made by [`#[action]`](macro@crate::action).
pub trait Action: Send + Sync + Sized + 'static {
    /// The name under which it is hosted.
    const NAME: &'static str;

    /// Its handlers.
    fn handlers() -> Vec<Handler<Self>>;
}

/// Handed to every handler of an action: the way to the entities.
#[derive(Clone)]
pub struct ActionContext {
    engine: Arc<Engine>,
}

impl ActionContext {
    pub(crate) fn new(engine: &Arc<Engine>) -> Self {
        let engine = Arc::clone(engine);
        Self { engine }
    }

    /// A reference to the entity `id`, as [`Runtime::entity`](crate::Runtime::entity) makes them.
    pub fn entity<E: Behavior>(&self, id: impl Into<Box<str>>) -> E::Ref {
        EntityRef::from_handle(Handle::<E>::new(&self.engine, id.into()))
    }
}

impl fmt::Debug for ActionContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActionContext(..)")
    }
}
