//! What every step of a scenario checks without being asked.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::event::{self, Event};
use crate::testing::scenario::Testable;
use crate::testing::scenario::answer::Value;

pub(super) const TWO_DECISIONS: &str = "the handler is not deterministic: on equal states it \
    decided one thing and then another (does it ask a clock, a random source, or the order of a \
    `HashMap`?)";

const UNTOUCHED: &str = "the handler changed the state: an event-sourced state changes through \
    events only";

/// Two values are equal, or the complaint shows both.
pub(super) fn same<T: PartialEq + Debug + ?Sized>(
    complaint: &str,
    left: &T,
    right: &T,
) -> Result<(), String> {
    if left == right {
        return Ok(());
    }
    let (left, right) = (format!("{left:#?}"), format!("{right:#?}"));
    let hint = if left == right {
        "\n(they look the same, but `PartialEq` says otherwise: a NaN?)"
    } else {
        ""
    };
    Err(format!(
        "{complaint}\n  left: {left}\n right: {right}{hint}"
    ))
}

/// A state after a handler ran is what it was before.
pub(super) fn untouched<E: Testable>(after: &E, before: &E) -> Result<(), String> {
    same(UNTOUCHED, after, before)
}

/// A value comes back from the entity's codec as it was.
pub(super) fn comes_back<E: Testable, T: Value>(what: &str, value: &T) -> Result<(), String> {
    let back = through_codec::<E, T>(what, value)?;
    same(&not_as_it_was::<E>(what), value, &back)
}

/// A value, encoded and decoded with the entity's codec.
pub(super) fn through_codec<E: Testable, T: Serialize + DeserializeOwned>(
    what: &str,
    value: &T,
) -> Result<T, String> {
    let codec = E::OPTIONS.codec;
    let mut bytes = Vec::new();
    codec
        .encode(value, &mut bytes)
        .map_err(|error| format!("{what} cannot be stored: {error}"))?;
    codec
        .decode(&bytes)
        .map_err(|error| format!("{what} can be stored but not read back: {error}"))
}

/// An event as it is read back from the journal.
pub(super) fn stored_event<E: Testable>(event: &E::Event) -> Result<E::Event, String> {
    let codec = E::OPTIONS.codec;
    let declared = E::Event::EVENTS.get(event.index());
    let declared = declared.ok_or("the event's index is not among the declared events")?;
    let what = format!("event `{}`", declared.name);
    let mut payload = Vec::new();
    event::encode(event, codec, &mut payload)
        .map_err(|error| format!("{what} cannot be stored: {error}"))?;
    let back = event::decode(declared.name, declared.version, codec, &payload)
        .map_err(|error| format!("{what} can be stored but not read back: {error}"))?;
    same(&not_as_it_was::<E>(&what), event, &back)?;
    Ok(back)
}

fn not_as_it_was<E: Testable>(what: &str) -> String {
    let codec = E::OPTIONS.codec;
    format!("{what} does not come back from {codec:?} as it was")
}
