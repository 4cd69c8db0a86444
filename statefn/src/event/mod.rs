//! Events: the facts that an event-sourced entity is made of.

mod encoding;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{Codec, DecodeError};
use crate::shape::{Shape, ShapeError};

pub use self::encoding::{decode, decode_at, encode};

/// A fact that an entity records, or an enum of such facts. Made by `#[derive(Event)]`.
///
/// A stored event is its declared name, its schema version and the fields of the variant (or of
/// the struct): never the enum's position of it, never a Rust path.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use statefn::event::{Event as _, EventForm};
/// use statefn::prelude::*;
///
/// #[derive(Event, Serialize, Deserialize)]
/// enum DoorEvent {
///     #[event(name = "door-opened")]
///     Opened { by: String },
///     Closed,
/// }
///
/// assert_eq!(DoorEvent::FORM, EventForm::Enum);
/// assert_eq!(DoorEvent::EVENTS[0].name, "door-opened");
/// assert_eq!(DoorEvent::EVENTS[1].name, "Closed");
/// assert_eq!(DoorEvent::Closed.index(), 1);
/// ```
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

    /// Tells `forms` every stored form of the event at `index`: the current one, and the older
    /// ones from which [`upcast`](Self::upcast) leads. Only `events.lock` asks.
    fn describe(index: usize, forms: &mut StoredForms) {
        forms.current::<Self>(index);
    }
}

/// Gathers the stored forms of events; see [`Event::describe`].
#[derive(Debug)]
pub struct StoredForms {
    codec: Codec,
    forms: Vec<StoredForm>,
}

/// One form in which an event is stored: a name, a version, a shape.
#[derive(Clone, Debug)]
pub(crate) struct StoredForm {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) shape: Result<Shape, ShapeError>,
}

impl StoredForms {
    pub(crate) fn of<E: Event>(codec: Codec) -> Vec<StoredForm> {
        let forms = Vec::new();
        let mut all = Self { codec, forms };
        for index in 0..E::EVENTS.len() {
            E::describe(index, &mut all);
        }
        all.forms
    }

    /// The form that the program writes of the event at `index`, traced.
    pub fn current<E: Event>(&mut self, index: usize) {
        let shape = match E::FORM {
            EventForm::Struct => Shape::of::<E>(self.codec),
            EventForm::Enum => Shape::of_variant::<E>(self.codec, index),
        };
        self.push::<E>(index, shape);
    }

    /// The same, with a shape named by hand (`#[event(shape = "..")]`).
    pub fn named<E: Event>(&mut self, index: usize, shape: &str) {
        let shape = Shape::named(shape, self.codec);
        self.push::<E>(index, Ok(shape));
    }

    /// The forms of an older version's type, and of what came before it.
    pub fn older<E: Event>(&mut self) {
        E::describe(0, self);
    }

    fn push<E: Event>(&mut self, index: usize, shape: Result<Shape, ShapeError>) {
        if let Some(EventDeclaration { name, version }) = E::EVENTS.get(index).copied() {
            self.forms.push(StoredForm {
                name,
                version,
                shape,
            });
        }
    }
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
