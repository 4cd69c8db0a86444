//! A state that is stored whole, back from its bytes: through upcasters where its version is older,
//! and only if its shape is the one that the program knows for that version.

use statefn_store::StateBytes;

use crate::codec::Codec;
use crate::entity::{Behavior, Entity, Kind};
use crate::event::{self, Event, StoredForms};
use crate::hash::stable_128;
use crate::runtime::resident::Resident;

/// Whether entities of this type are stored whole.
pub(super) const fn is_stored_whole<E: Entity>() -> bool {
    <E::Kind as Kind>::IS_WHOLE
}

/// Reads a stored state. `shape` is the hash of the shape that the program writes.
///
/// The error is for an operator.
pub(super) fn read<E: Behavior>(
    stored: &StateBytes<'_>,
    shape: u128,
) -> Result<Resident<E>, String> {
    let declared = E::Event::EVENTS.first().filter(|_| is_stored_whole::<E>());
    let Some(declared) = declared else {
        return Err("a state was stored whole, but the entity is event-sourced".to_owned());
    };
    let codec =
        Codec::from_id(stored.codec).ok_or_else(|| format!("codec {} is unknown", stored.codec))?;
    let is_current = stored.version == declared.version && codec == E::OPTIONS.codec;
    if !is_current || stored.shape != shape {
        check_shape::<E>(stored, codec)?;
    }
    let decoded: E::Event = event::decode(declared.name, stored.version, codec, stored.payload)
        .map_err(|error| format!("the state of version {}: {error}", stored.version))?;
    let mut entity = Resident::new(E::default());
    entity.state.apply(&decoded);
    let digest = if is_current {
        stable_128(stored.payload)
    } else {
        // What the program would write: an unchanged state is not stored again for its form alone.
        let mut payload = Vec::new();
        let encoded = E::OPTIONS.codec.encode(&entity.state, &mut payload);
        encoded.map_err(|error| format!("the state cannot be stored any more: {error}"))?;
        stable_128(&payload)
    };
    entity.is_stored(Some(digest));
    Ok(entity)
}

/// The stored shape is the one that the program knows for its version.
fn check_shape<E: Behavior>(stored: &StateBytes<'_>, codec: Codec) -> Result<(), String> {
    let forms = StoredForms::of::<E::Event>(codec);
    let newest = forms.iter().map(|form| form.version).max().unwrap_or(1);
    let version = stored.version;
    let Some(form) = forms.iter().find(|form| form.version == version) else {
        return Err(format!(
            "the state has version {version}, the program knows version {newest} and no upcaster \
             from it"
        ));
    };
    let known = form.shape.as_ref().map_err(ToString::to_string)?;
    if known.hash() == stored.shape {
        return Ok(());
    }
    Err(format!(
        "the state of version {version} was stored with the shape {:032x}, but version {version} \
         of the program has the shape {:032x}:\n{known}\nA changed state needs a new version and \
         an upcaster: `#[entity(crud, version = {}, from = ..)]`",
        stored.shape,
        known.hash(),
        newest + 1,
    ))
}
