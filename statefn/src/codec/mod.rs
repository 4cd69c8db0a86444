//! Payload codecs, chosen by one word, named in every stored entry.

mod bincode;
mod guard;
mod json;
pub(crate) mod variant;

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{DeserializeOwned, DeserializeSeed};

use crate::codec::guard::{Budget, Exceeded, FREE_ELEMENTS, Guarded, GuardedSeed, LEVELS_MAX};

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
    /// The bytes nest values more deeply than any value is written.
    #[error("values are nested more than {max} deep")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// The bytes claim sequences that are much longer than the bytes.
    #[error("the bytes claim more elements than there is room for")]
    TooManyElements,
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

    /// How attributes and `events.lock` spell the codec.
    ///
    /// ```
    /// assert_eq!(statefn::codec::Codec::Bincode.name(), "bincode");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bincode => "bincode",
            Self::Json => "json",
        }
    }

    /// The codec of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Bincode, Self::Json]
            .into_iter()
            .find(|codec| codec.name() == name)
    }

    /// Appends the encoded value to `into`.
    ///
    /// ```
    /// use statefn::codec::Codec;
    ///
    /// let mut bytes = Vec::new();
    /// Codec::Json.encode(&("a", 1), &mut bytes)?;
    /// assert_eq!(bytes, br#"["a",1]"#);
    /// let value: (String, u32) = Codec::Json.decode(&bytes)?;
    /// assert_eq!(value, ("a".to_owned(), 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The codec cannot express the value (`bincode` knows neither `untagged` nor `flatten`; JSON
    /// has no NaN, no infinity, and no difference between `Some(None)` and `None`), or it could not be decoded again: values are nested more than 120 deep, or sequences of
    /// elements without content (`Vec<()>`) have more than 65,536 elements. What was appended to
    /// `into` by then is of no use.
    pub fn encode<T: Serialize>(self, value: &T, into: &mut Vec<u8>) -> Result<(), EncodeError> {
        let before = into.len();
        let budget = Budget::new(usize::MAX, self == Self::Json);
        let guarded = Guarded::new(value, &budget);
        match self {
            Self::Bincode => bincode::encode(&guarded, into),
            Self::Json => json::encode(&guarded, into),
        }?;
        let bytes = into.len().saturating_sub(before);
        if budget.elements_taken() > bytes.saturating_add(FREE_ELEMENTS) {
            let reason = format!("it has more than {FREE_ELEMENTS} elements without content");
            return Err(EncodeError {
                codec: self,
                reason,
            });
        }
        Ok(())
    }

    /// Decodes a value that takes up all of `bytes`.
    ///
    /// Takes no more time or memory than the length of `bytes` warrants, whatever they are.
    ///
    /// # Errors
    ///
    /// The bytes are not such a value, there are more of them, or they go beyond the limits of
    /// [`encode`](Self::encode).
    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, DecodeError> {
        self.decode_seed(PhantomData::<T>, bytes)
    }

    pub(crate) fn decode_seed<'de, T: DeserializeSeed<'de>>(
        self,
        seed: T,
        bytes: &'de [u8],
    ) -> Result<T::Value, DecodeError> {
        let budget = Budget::new(
            bytes.len().saturating_add(FREE_ELEMENTS),
            self == Self::Json,
        );
        let seed = GuardedSeed::new(seed, &budget);
        let result = match self {
            Self::Bincode => bincode::decode(seed, bytes),
            Self::Json => json::decode(seed, bytes),
        };
        result.map_err(|error| match budget.exceeded() {
            Some(Exceeded::Levels) => DecodeError::TooDeep { max: LEVELS_MAX },
            Some(Exceeded::Elements) => DecodeError::TooManyElements,
            None => error,
        })
    }
}
