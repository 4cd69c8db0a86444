//! Events as stored: the fields of the variant only, the name beside them.
//!
//! The user's own serde impls do the work, attributes included: an adapter around the serializer
//! leaves the enum's variant out, an adapter around the deserializer puts it back by its index.
//! So the position and the Rust name of a variant never reach the disk.

use crate::codec::variant::{VariantContent, VariantSeed};
use crate::codec::{Codec, DecodeError, EncodeError};
use crate::event::{Event, EventForm};

/// Appends the encoded fields of `event` to `into`.
///
/// # Errors
///
/// The codec cannot express the event.
pub fn encode<E: Event>(event: &E, codec: Codec, into: &mut Vec<u8>) -> Result<(), EncodeError> {
    match E::FORM {
        EventForm::Struct => codec.encode(event, into),
        EventForm::Enum => codec.encode(&VariantContent(event), into),
    }
}

/// Decodes a stored event, through upcasters where its version is older.
///
/// # Errors
///
/// The program does not know the event or its version, or the bytes are not such an event.
pub fn decode<E: Event>(
    name: &str,
    version: u32,
    codec: Codec,
    payload: &[u8],
) -> Result<E, DecodeError> {
    match E::EVENTS.iter().position(|event| event.name == name) {
        Some(index) => decode_at(index, version, codec, payload),
        None => Err(DecodeError::UnknownEvent {
            name: name.to_owned(),
        }),
    }
}

/// Decodes the event at `index` of [`Event::EVENTS`].
///
/// # Errors
///
/// As [`decode`].
pub fn decode_at<E: Event>(
    index: usize,
    version: u32,
    codec: Codec,
    payload: &[u8],
) -> Result<E, DecodeError> {
    let Some(declared) = E::EVENTS.get(index) else {
        return Err(DecodeError::UnknownEvent {
            name: format!("event number {index}"),
        });
    };
    if version != declared.version {
        let upcast = if version < declared.version {
            E::upcast(index, version, codec, payload)
        } else {
            None
        };
        return upcast.unwrap_or_else(|| {
            Err(DecodeError::UnknownVersion {
                name: declared.name.to_owned(),
                stored: version,
                known: declared.version,
            })
        });
    }
    match E::FORM {
        EventForm::Struct => codec.decode(payload),
        EventForm::Enum => codec.decode_seed(VariantSeed::new(index), payload),
    }
}
