//! From what a handler said to what is stored and answered: the same in production and in the
//! test kit.

use std::cell::Cell;

use statefn_store::{NewEvent, NewState, StateChange};

use crate::call_error::Failure;
use crate::codec::{Codec, EncodeError};
use crate::context::Wishes;
use crate::entity::{Behavior, Kind};
use crate::event::{self, Event};
use crate::hash::stable_128;
use crate::limits::Limits;
use crate::reply::{Handled, Said};
use crate::runtime::resident::Resident;

/// A longer list than this is not kept for the next event.
const SCRATCH_MAX: usize = 64 * 1024;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What a command came to, with its events applied.
pub(crate) struct Decision<T, R> {
    pub(crate) answer: Said<T, R>,
    pub(crate) written: Written,
}

/// What a command writes of its entity's state; nothing after a rejection.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) events: Vec<NewEvent>,
    /// The state as a whole, or its deletion.
    pub(crate) state: Option<Box<StateChange>>,
}

impl Written {
    /// Whether there is nothing to write.
    pub(crate) fn is_nothing(&self) -> bool {
        self.events.is_empty() && self.state.is_none()
    }
}

/// How a state is written.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a> {
    pub(crate) codec: Codec,
    /// Hash of the state's shape over the codec.
    pub(crate) shape: u128,
    pub(crate) limits: &'a Limits,
}

/// Concludes a command: encodes what it changed, applies it, and asks for the reply. `copy` is what
/// the handler worked on, if not the state itself.
///
/// An error means that nothing was applied.
pub(crate) fn conclude<E: Behavior, T, R>(
    handled: Handled<E, T, R>,
    wishes: &Wishes<E>,
    copy: Option<&mut E>,
    entity: &mut Resident<E>,
    form: Form<'_>,
) -> Result<Decision<T, R>, Failure> {
    let handled = match handled {
        Handled::Rejected(rejection) => {
            if planted!(RollbackMissed)
                && let Some(copy) = copy
            {
                std::mem::swap(&mut entity.state, copy);
            }
            return Ok(Decision {
                answer: Said::Rejected(rejection),
                written: Written::default(),
            });
        }
        accepted => accepted,
    };
    let written = match copy {
        Some(copy) if <E::Kind as Kind>::IS_CRDT => spread(wishes, copy, entity, form)?,
        Some(copy) => replace(wishes.deletes, copy, entity, form)?,
        None => fold(wishes, entity, form)?,
    };
    let answer = handled.answer(&entity.state);
    Ok(Decision { answer, written })
}

/// Applies what was emitted.
fn fold<E: Behavior>(
    wishes: &Wishes<E>,
    entity: &mut Resident<E>,
    form: Form<'_>,
) -> Result<Written, Failure> {
    // Encoded before they are applied, so that an event that cannot be stored changes nothing.
    let events = encode_events(&wishes.events, form.codec, form.limits)?;
    for event in &wishes.events {
        entity.state.apply(event);
    }
    let state = wishes.deletes.then(|| {
        entity.state = E::default();
        Box::new(StateChange::Delete)
    });
    Ok(Written { events, state })
}

/// Puts the copy in the place of the state. Unchanged bytes write nothing.
fn replace<E: Behavior>(
    deletes: bool,
    copy: &mut E,
    entity: &mut Resident<E>,
    form: Form<'_>,
) -> Result<Written, Failure> {
    let before = entity.digest();
    let mut state = None;
    if deletes {
        if !planted!(DeletedStateKept) {
            *copy = E::default();
        }
        entity.is_stored(None);
        state = before.map(|_| Box::new(StateChange::Delete));
    } else {
        let payload = encode_state(copy, form)?;
        let digest = stable_128(&payload);
        let is_unchanged = match before {
            Some(before) => before == digest,
            None => encode_state(&E::default(), form)? == payload,
        };
        if !is_unchanged {
            entity.is_stored(Some(digest));
            let version = E::Event::EVENTS.first().map_or(1, |state| state.version);
            state = Some(Box::new(StateChange::Put(NewState {
                shape: form.shape,
                version,
                codec: form.codec.id(),
                payload,
            })));
        }
    }
    std::mem::swap(&mut entity.state, copy);
    let events = Vec::new();
    Ok(Written { events, state })
}

/// Puts the copy in the place of the state, and stores what changed as a delta.
fn spread<E: Behavior>(
    wishes: &Wishes<E>,
    copy: &mut E,
    entity: &mut Resident<E>,
    form: Form<'_>,
) -> Result<Written, Failure> {
    if wishes.is_exhausted {
        return Err(Failure::Encoding {
            what: "a change",
            reason: "this replica has no number left to name it with".into(),
        });
    }
    let delta = copy.take_delta();
    let mut written = Written::default();
    if wishes.deletes {
        *copy = E::default();
        entity.is_deleted();
        written.state = Some(Box::new(StateChange::Delete));
    } else if let Some(delta) = delta {
        written.events = encode_events(&[delta], form.codec, form.limits)?;
    }
    std::mem::swap(&mut entity.state, copy);
    Ok(written)
}

fn encode_state<E: Behavior>(state: &E, form: Form<'_>) -> Result<Vec<u8>, Failure> {
    let mut payload = Vec::new();
    let encoded = form.codec.encode(state, &mut payload);
    encoded.map_err(|error| Failure::Encoding {
        what: "the state",
        reason: error.to_string().into(),
    })?;
    let limit = form.limits.snapshot_bytes_max;
    if payload.len() > limit {
        return Err(Failure::TooLarge {
            what: "the state",
            bytes: payload.len(),
            limit,
        });
    }
    Ok(payload)
}

fn encode_events<Ev: Event>(
    emitted: &[Ev],
    codec: Codec,
    limits: &Limits,
) -> Result<Vec<NewEvent>, Failure> {
    let limit = limits.events_max;
    if emitted.len() > limit {
        let what = "the list of events of one command (counted in events)";
        return Err(Failure::TooLarge {
            what,
            bytes: emitted.len(),
            limit,
        });
    }
    emitted
        .iter()
        .map(|event| encode_event(event, codec, limits))
        .collect()
}

fn encode_event<Ev: Event>(event: &Ev, codec: Codec, limits: &Limits) -> Result<NewEvent, Failure> {
    let Some(declaration) = Ev::EVENTS.get(event.index()) else {
        let reason = "its index is not among the declared events".into();
        return Err(Failure::Encoding {
            what: "an event",
            reason,
        });
    };
    let payload = encoded(event, codec).map_err(|e| Failure::Encoding {
        what: "an event",
        reason: e.to_string().into(),
    })?;
    let limit = limits.payload_bytes_max;
    if payload.len() > limit {
        return Err(Failure::TooLarge {
            what: "an event",
            bytes: payload.len(),
            limit,
        });
    }
    Ok(NewEvent {
        name: declaration.name.into(),
        version: declaration.version,
        codec: codec.id(),
        payload,
    })
}

/// The encoded fields of an event, in a list that is as long as they are: the store may keep it.
fn encoded<Ev: Event>(event: &Ev, codec: Codec) -> Result<Vec<u8>, EncodeError> {
    // Taken while it is in use: what the user's code does meanwhile meets an empty one.
    let mut scratch = SCRATCH.take();
    scratch.clear();
    event::encode(event, codec, &mut scratch)?;
    let payload = scratch.as_slice().to_vec();
    if scratch.capacity() <= SCRATCH_MAX {
        SCRATCH.set(scratch);
    }
    Ok(payload)
}
