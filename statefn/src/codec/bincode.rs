//! The only file that names `bincode`: version 2 in its standard configuration, through serde.
//!
//! The crate is no longer maintained (RUSTSEC-2025-0141) and pinned; the codec id in every stored
//! payload lets another codec take over without touching what is stored.

use serde::Serialize;
use serde::de::DeserializeSeed;

use crate::codec::{Codec, DecodeError, EncodeError};

/// No payload claims more memory than this while it is decoded.
const DECODE_BYTES_MAX: usize = 256 * 1024 * 1024;

pub(super) fn encode<T: Serialize>(value: &T, into: &mut Vec<u8>) -> Result<(), EncodeError> {
    match bincode::serde::encode_into_std_write(value, into, bincode::config::standard()) {
        Ok(_) => Ok(()),
        Err(error) => Err(EncodeError {
            codec: Codec::Bincode,
            reason: error.to_string(),
        }),
    }
}

pub(super) fn decode<'de, T: DeserializeSeed<'de>>(
    seed: T,
    bytes: &'de [u8],
) -> Result<T::Value, DecodeError> {
    let config = bincode::config::standard().with_limit::<DECODE_BYTES_MAX>();
    let (value, read) =
        bincode::serde::seed_decode_from_slice(seed, bytes, config).map_err(|error| {
            DecodeError::Malformed {
                codec: Codec::Bincode,
                reason: error.to_string(),
            }
        })?;
    match bytes.len().saturating_sub(read) {
        0 => Ok(value),
        count => Err(DecodeError::TrailingBytes { count }),
    }
}
