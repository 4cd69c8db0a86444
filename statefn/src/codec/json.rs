//! JSON through `serde_json`, which limits depth to 128 and refuses trailing bytes.

use serde::Serialize;
use serde::de::DeserializeSeed;

use crate::codec::{Codec, DecodeError, EncodeError};

pub(super) fn encode<T: Serialize>(value: &T, into: &mut Vec<u8>) -> Result<(), EncodeError> {
    serde_json::to_writer(into, value).map_err(|error| EncodeError {
        codec: Codec::Json,
        reason: error.to_string(),
    })
}

pub(super) fn decode<'de, T: DeserializeSeed<'de>>(
    seed: T,
    bytes: &'de [u8],
) -> Result<T::Value, DecodeError> {
    let malformed = |error: serde_json::Error| DecodeError::Malformed {
        codec: Codec::Json,
        reason: error.to_string(),
    };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = seed.deserialize(&mut deserializer).map_err(malformed)?;
    deserializer.end().map_err(malformed)?;
    Ok(value)
}
