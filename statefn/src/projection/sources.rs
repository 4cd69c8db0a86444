//! What a projection hears: handlers by entity type and event, and how entries are read for them.

use std::collections::BTreeMap;
use std::fmt;

use statefn_store::{Entry, EntryBody, NewEvent, NewState};

use crate::codec::Codec;
use crate::entity::{Behavior, Kind};
use crate::event::{self, Event, EventDeclaration, StoredForms};
use crate::projection::envelope::{Envelope, Removal};
use crate::projection::outcome::HandlerError;
use crate::projection::rows::Rows;
use crate::projection::views::{Lent, Views};

/// A type in which the entity `E` tells what happened: an event of it, or the state of a CRUD entity.
#[diagnostic::on_unimplemented(
    message = "`{E}` tells nothing in a `{Self}`",
    label = "not an event of `{E}`",
    note = "a handler takes an event that `{E}` has a handler for or, of a CRUD entity, its state, and \
            then `&Envelope<{E}>`"
)]
pub trait ToldBy<E: Behavior>: Event {}

/// Why an entry was not folded.
#[derive(Debug)]
pub(crate) struct Untold {
    pub(crate) reason: String,
    /// Whether another attempt could end otherwise.
    pub(crate) is_final: bool,
}

/// The handlers of the projection `P`, as the macro lists them.
pub struct Sources<P>(BTreeMap<&'static str, Box<dyn AnySource<P>>>);

type Tell<P, E> =
    Box<dyn Fn(&P, &Payload<'_>, &Envelope<E>, &mut Views<P>) -> Result<(), Untold> + Send + Sync>;
type TellRemoval<P, E> =
    Box<dyn Fn(&P, Removal, &Envelope<E>, &mut Views<P>) -> Result<(), HandlerError> + Send + Sync>;

/// An event or a state as it is stored.
struct Payload<'a> {
    index: usize,
    version: u32,
    codec: u8,
    bytes: &'a [u8],
}

struct Source<P, E: Behavior> {
    events: Vec<(&'static [EventDeclaration], Tell<P, E>)>,
    removal: Option<TellRemoval<P, E>>,
    /// Hashes of the shapes of a CRUD state that the program knows, by codec and version.
    shapes: std::sync::Mutex<BTreeMap<u8, Vec<(u32, u128)>>>,
}

trait AnySource<P>: Send + Sync {
    fn tell(&self, projection: &P, entry: &Entry, rows: &mut Rows) -> Result<(), Untold>;

    fn as_any(&mut self) -> &mut dyn std::any::Any;
}

impl<P: Send + Sync + 'static> Sources<P> {
    pub(crate) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// A handler for `T`, told by entities of type `E`.
    pub fn event<E: Behavior, T: ToldBy<E>>(
        &mut self,
        handler: impl Fn(&P, &T, &Envelope<E>, &mut Views<P>) -> Result<(), HandlerError>
        + Send
        + Sync
        + 'static,
    ) {
        let tell = move |projection: &P,
                         payload: &Payload<'_>,
                         envelope: &Envelope<E>,
                         views: &mut Views<P>| {
            let told: T = decode(payload)?;
            handler(projection, &told, envelope, views).map_err(|error| failed(&error))
        };
        if let Some(source) = self.source::<E>() {
            source.events.push((T::EVENTS, Box::new(tell)));
        }
    }

    /// A handler for entities of type `E` that are no more.
    pub fn removal<E: Behavior>(
        &mut self,
        handler: impl Fn(&P, Removal, &Envelope<E>, &mut Views<P>) -> Result<(), HandlerError>
        + Send
        + Sync
        + 'static,
    ) {
        if let Some(source) = self.source::<E>() {
            source.removal = Some(Box::new(handler));
        }
    }

    fn source<E: Behavior>(&mut self) -> Option<&mut Source<P, E>> {
        let source = self.0.entry(E::TYPE).or_insert_with(|| {
            Box::new(Source::<P, E> {
                events: Vec::new(),
                removal: None,
                shapes: std::sync::Mutex::default(),
            })
        });
        source.as_any().downcast_mut()
    }

    /// Whether it hears this entity type.
    pub(crate) fn hears(&self, entity_type: &str) -> bool {
        self.0.contains_key(entity_type)
    }

    /// Tells one entry to the handler that it is for.
    pub(crate) fn tell(
        &self,
        projection: &P,
        entry: &Entry,
        rows: &mut Rows,
    ) -> Result<(), Untold> {
        match self.0.get(entry.id.entity_type().as_str()) {
            Some(source) => source.tell(projection, entry, rows),
            None => Ok(()),
        }
    }
}

impl<P: Send + Sync + 'static, E: Behavior> AnySource<P> for Source<P, E> {
    fn tell(&self, projection: &P, entry: &Entry, rows: &mut Rows) -> Result<(), Untold> {
        match &entry.body {
            EntryBody::Event { event, .. } => self.event(projection, entry, event, rows),
            EntryBody::State { state, .. } => self.state(projection, entry, state, rows),
            EntryBody::Deleted { .. } => self.removed(projection, entry, Removal::Deleted, rows),
            EntryBody::Erased { .. } => self.removed(projection, entry, Removal::Purged, rows),
            _ => Ok(()),
        }
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}

impl<P: Send + Sync + 'static, E: Behavior> Source<P, E> {
    fn event(
        &self,
        projection: &P,
        entry: &Entry,
        event: &NewEvent,
        rows: &mut Rows,
    ) -> Result<(), Untold> {
        if <E::Kind as Kind>::IS_WHOLE {
            return Err(unreadable(
                "an event was stored, but the entity is a CRUD one",
            ));
        }
        for (events, tell) in &self.events {
            if let Some(index) = events.iter().position(|known| known.name == event.name) {
                let payload = Payload {
                    index,
                    version: event.version,
                    codec: event.codec,
                    bytes: &event.payload,
                };
                let mut lent = Lent::new(rows);
                return tell(projection, &payload, &Envelope::of(entry), &mut lent.views);
            }
        }
        // Known, and of no interest here; or else nobody can say that it is of no interest.
        if E::Event::EVENTS
            .iter()
            .any(|known| known.name == event.name)
        {
            return Ok(());
        }
        Err(unreadable(format!("event `{}` is unknown", event.name)))
    }

    fn state(
        &self,
        projection: &P,
        entry: &Entry,
        state: &NewState,
        rows: &mut Rows,
    ) -> Result<(), Untold> {
        if !<E::Kind as Kind>::IS_WHOLE {
            let reason = "a state was stored whole, but the entity is event-sourced";
            return Err(unreadable(reason));
        }
        let Some((_, tell)) = self.events.first() else {
            return Ok(());
        };
        self.check_shape(state)?;
        let payload = Payload {
            index: 0,
            version: state.version,
            codec: state.codec,
            bytes: &state.payload,
        };
        let mut lent = Lent::new(rows);
        tell(projection, &payload, &Envelope::of(entry), &mut lent.views)
    }

    /// The stored shape is the one that the program knows for its version.
    fn check_shape(&self, state: &NewState) -> Result<(), Untold> {
        let codec = codec(state.codec)?;
        let mut shapes = self
            .shapes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let known = shapes.entry(state.codec).or_insert_with(|| {
            let forms = StoredForms::of::<E::Event>(codec).into_iter();
            let hashes = forms.filter_map(|form| Some((form.version, form.shape.ok()?.hash())));
            hashes.collect()
        });
        if known.contains(&(state.version, state.shape)) {
            return Ok(());
        }
        let (version, shape) = (state.version, state.shape);
        Err(unreadable(format!(
            "the state has version {version} and the shape {shape:032x}, which the program does not know"
        )))
    }

    fn removed(
        &self,
        projection: &P,
        entry: &Entry,
        removal: Removal,
        rows: &mut Rows,
    ) -> Result<(), Untold> {
        let Some(tell) = &self.removal else {
            return Ok(());
        };
        let mut lent = Lent::new(rows);
        let told = tell(projection, removal, &Envelope::of(entry), &mut lent.views);
        told.map_err(|error| failed(&error))
    }
}

fn codec(id: u8) -> Result<Codec, Untold> {
    Codec::from_id(id).ok_or_else(|| unreadable(format!("codec {id} is unknown")))
}

fn decode<T: Event>(payload: &Payload<'_>) -> Result<T, Untold> {
    let codec = codec(payload.codec)?;
    event::decode_at(payload.index, payload.version, codec, payload.bytes)
        .map_err(|error| unreadable(error.to_string()))
}

fn unreadable(reason: impl Into<String>) -> Untold {
    Untold {
        reason: reason.into(),
        is_final: true,
    }
}

/// What a handler said, with what was behind it.
fn failed(error: &HandlerError) -> Untold {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(behind) = source {
        reason = format!("{reason}: {behind}");
        source = behind.source();
    }
    let is_final = false;
    Untold { reason, is_final }
}

impl<P> fmt::Debug for Sources<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
