//! Payload codecs, chosen by one word, named in every stored entry.

mod bincode;
pub mod event;
mod json;
pub(crate) mod variant;

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{DeserializeOwned, DeserializeSeed};

/// How payloads are written. The codec's id is stored with each payload, so every choice can be
/// taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// `bincode` 2, standard configuration: small and fast, positional.
    Bincode,
    /// JSON: larger and slower, readable with any tool, tolerant of added fields.
    Json,
}

/// Why a value could not be encoded.
#[derive(Debug, thiserror::Error)]
#[error("cannot encode as {codec:?}: {reason}")]
pub struct EncodeError {
    /// The codec.
    pub codec: Codec,
    /// What it said.
    pub reason: String,
}

/// Why stored bytes could not be decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The program has no event of this name.
    #[error("unknown event `{name}`")]
    UnknownEvent {
        /// The stored name.
        name: String,
    },
    /// The program knows the event, but neither this version nor an upcaster from it.
    #[error("event `{name}` has version {stored}, the program knows {known} and no upcaster")]
    UnknownVersion {
        /// The stored name.
        name: String,
        /// The stored version.
        stored: u32,
        /// The declared version.
        known: u32,
    },
    /// The codec id names no codec of this program.
    #[error("unknown codec {id}")]
    UnknownCodec {
        /// The stored id.
        id: u8,
    },
    /// The bytes are not a value of the expected type.
    #[error("cannot decode as {codec:?}: {reason}")]
    Malformed {
        /// The codec.
        codec: Codec,
        /// What it said.
        reason: String,
    },
    /// The value ended before the bytes did: the shape has changed.
    #[error("{count} bytes left over behind the value")]
    TrailingBytes {
        /// How many.
        count: usize,
    },
}

impl Codec {
    /// The id that is stored with each payload.
    pub const fn id(self) -> u8 {
        match self {
            Self::Bincode => 1,
            Self::Json => 2,
        }
    }

    /// The codec with this id.
    pub const fn from_id(id: u8) -> Option<Self> {
        match id {
            1 => Some(Self::Bincode),
            2 => Some(Self::Json),
            _ => None,
        }
    }

    /// Appends the encoded value to `into`.
    ///
    /// # Errors
    ///
    /// The codec cannot express the value.
    pub fn encode<T: Serialize>(self, value: &T, into: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Bincode => bincode::encode(value, into),
            Self::Json => json::encode(value, into),
        }
    }

    /// Decodes a value that takes up all of `bytes`.
    ///
    /// # Errors
    ///
    /// The bytes are not such a value, or there are more of them.
    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, DecodeError> {
        self.decode_seed(PhantomData::<T>, bytes)
    }

    fn decode_seed<'de, T: DeserializeSeed<'de>>(
        self,
        seed: T,
        bytes: &'de [u8],
    ) -> Result<T::Value, DecodeError> {
        match self {
            Self::Bincode => bincode::decode(seed, bytes),
            Self::Json => json::decode(seed, bytes),
        }
    }
}
