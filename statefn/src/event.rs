//! Events: the facts that an event-sourced entity is made of.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{Codec, DecodeError};

/// A fact that an entity records, or an enum of such facts. Made by `#[derive(Event)]`.
///
/// A stored event is its declared name, its schema version and the fields of the variant (or of
/// the struct): never the enum's position of it, never a Rust path.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    note = "add `#[derive(Event)]` to it, with `Serialize` and `Deserialize`"
)]
pub trait Event: Serialize + DeserializeOwned + Send + 'static {
    /// Whether the type is one event or an enum of events.
    const FORM: EventForm;

    /// Every event of the type, in the order of the enum's variants.
    const EVENTS: &'static [EventDeclaration];

    /// Which of [`EVENTS`](Self::EVENTS) this value is.
    fn index(&self) -> usize;

    /// Decodes an older version through the type named by `#[event(from = ..)]`.
    ///
    /// `None` when no upcaster is declared for the event at `index`.
    fn upcast(
        index: usize,
        version: u32,
        codec: Codec,
        payload: &[u8],
    ) -> Option<Result<Self, DecodeError>>;
}

/// How an event type is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventForm {
    /// A struct: one event.
    Struct,
    /// An enum: one event a variant.
    Enum,
}

/// Declared name and schema version of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventDeclaration {
    /// The name in the journal.
    pub name: &'static str,
    /// The schema version that the program writes, from 1.
    pub version: u32,
}

/// An event that the entity `E` has a handler for: what `ctx.emit` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event of `{E}`",
    label = "`{E}` has no `#[event_handler]` for this type",
    note = "add an `#[event_handler]` for `{Self}` to the `#[entity]` impl of `{E}`"
)]
pub trait EventOf<E: crate::entity::Behavior> {
    /// The event as the entity stores it.
    fn into_event(self) -> E::Event;
}
