//! From what a handler said to what is stored and answered: the same in production and in the
//! test kit.

use std::cell::Cell;

use statefn_store::NewEvent;

use crate::call_error::Failure;
use crate::codec::{Codec, EncodeError};
use crate::entity::Behavior;
use crate::event::{self, Event};
use crate::limits::Limits;
use crate::reply::Handled;

/// A longer list than this is not kept for the next event.
const SCRATCH_MAX: usize = 64 * 1024;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What a command came to, with its events applied.
pub(crate) struct Decision<T, R> {
    pub(crate) answer: Result<T, R>,
    /// Empty after a rejection.
    pub(crate) events: Vec<NewEvent>,
}

/// Concludes a command: encodes what it emitted, applies it, and asks for the reply.
///
/// An error means that nothing was applied.
pub(crate) fn conclude<E: Behavior, T, R>(
    handled: Handled<E, T, R>,
    emitted: &[E::Event],
    entity: &mut E,
    codec: Codec,
    limits: &Limits,
) -> Result<Decision<T, R>, Failure> {
    let handled = match handled {
        Handled::Rejected(rejection) => {
            return Ok(Decision {
                answer: Err(rejection),
                events: Vec::new(),
            });
        }
        accepted => accepted,
    };
    // Encoded before they are applied, so that an event that cannot be stored changes nothing.
    let events = encode_events(emitted, codec, limits)?;
    for event in emitted {
        entity.apply(event);
    }
    let answer = match handled {
        Handled::Reply(reply) => Ok(reply),
        Handled::Then(then) => Ok(then.resolve(entity)),
        Handled::Rejected(rejection) => Err(rejection),
    };
    Ok(Decision { answer, events })
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
