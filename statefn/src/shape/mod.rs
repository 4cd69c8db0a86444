//! Shapes: what a type looks like to a codec, as far as serde's derive shows it.
//!
//! A shape is traced through `Deserialize`: the type is deserialized from made-up values, again
//! and again until every variant of every enum in it has been seen, and what it asks for is
//! written down. The crate `serde-reflection` does the same, but finds types by their bare name,
//! so that two types called `Item`, or two uses of one generic type, do not go together.

mod failure;
mod graph;
mod probe;
mod render;
mod rounds;
mod samples;
mod trace;

use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed};

use crate::codec::Codec;
use crate::codec::variant::VariantSeed;

/// The shape of a type as one codec sees it, nested types included, in one canonical text.
///
/// The text is the same on every platform. It holds what decides whether stored bytes can be read
/// back: names and order of fields and variants, and the types of the values. It leaves out what
/// is not stored: names and paths of Rust types, newtypes, `Box`. So a type may be renamed, moved
/// or wrapped, and its shape stays.
///
/// How serde's attributes show:
///
/// - `rename`, `rename_all`: the new name. `skip`: not at all. `default`: like any other field.
/// - `alias`: not at all on a field; on a variant as one more variant.
/// - `flatten`, `untagged`, `tag`, and types that hold anything, such as `serde_json::Value`,
///   do not show their shape: [`of`](Self::of) answers an error, and the shape is named by hand.
///
/// ```
/// use serde::Deserialize;
/// use statefn::codec::Codec;
/// use statefn::shape::Shape;
///
/// #[derive(Deserialize)]
/// struct Cart { items: Vec<Item>, note: Option<String> }
///
/// #[derive(Deserialize)]
/// struct Item { product: String, quantity: u32 }
///
/// let shape = Shape::of::<Cart>(Codec::Bincode)?;
/// assert_eq!(shape.text(), "\
/// {
///   items: [{
///     product: string
///     quantity: u32
///   }]
///   note: option<string>
/// }");
/// # Ok::<(), statefn::shape::ShapeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    codec: Codec,
    text: String,
}

/// A type whose shape cannot be traced through `Deserialize`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the shape of `{type_name}` cannot be traced{place}: {reason}. Name it by hand with \
     `shape = \"..\"` (in `#[entity(..)]` for a state, in `#[event(..)]` for an event), and change \
     that name whenever the stored form changes"
)]
#[non_exhaustive]
pub struct ShapeError {
    /// The Rust type.
    pub type_name: &'static str,
    /// Where in the type.
    pub place: Place,
    /// Why.
    pub reason: String,
}

/// A place in a type, such as `items[].price`; empty for the type itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// The path of fields and variants.
    pub fn path(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_str() {
            "" => Ok(()),
            path => write!(f, " (at `{path}`)"),
        }
    }
}

impl Shape {
    /// Traces `T` as `codec` sees it (some types, such as IP addresses, are written one way for
    /// readers and another way for machines).
    ///
    /// Bounded: a type that has not shown its shape after a million questions is an error.
    /// Meant to be called once for a type, not for each value.
    ///
    /// # Errors
    ///
    /// `T`'s `Deserialize` does not show its shape: it takes anything (`untagged`, `flatten`),
    /// refuses every sample value before all is seen (a validated string with fields behind it,
    /// say), contains a type without values in the way of the rest, or panics.
    pub fn of<T: DeserializeOwned>(codec: Codec) -> Result<Self, ShapeError> {
        Self::trace(codec, std::any::type_name::<T>(), &|probe| {
            T::deserialize(probe).map(drop)
        })
    }

    /// Traces the variant at `index` of an event enum as it is stored: without its name.
    pub(crate) fn of_variant<T: DeserializeOwned>(
        codec: Codec,
        index: usize,
    ) -> Result<Self, ShapeError> {
        Self::trace(codec, std::any::type_name::<T>(), &|probe| {
            VariantSeed::<T>::new(index).deserialize(probe).map(drop)
        })
    }

    fn trace(
        codec: Codec,
        type_name: &'static str,
        round: rounds::Round<'_>,
    ) -> Result<Self, ShapeError> {
        match rounds::trace(codec == Codec::Json, round) {
            Ok(text) => Ok(Self { codec, text }),
            Err((path, reason)) => Err(ShapeError {
                type_name,
                place: Place(path.trim_start_matches('.').to_owned()),
                reason,
            }),
        }
    }

    /// A shape named by hand.
    ///
    /// ```
    /// use statefn::codec::Codec;
    /// use statefn::shape::Shape;
    ///
    /// let first = Shape::named("settings 1", Codec::Json);
    /// assert_ne!(first.hash(), Shape::named("settings 2", Codec::Json).hash());
    /// ```
    pub fn named(name: &str, codec: Codec) -> Self {
        Self {
            codec,
            text: format!("named {name:?}"),
        }
    }

    /// The canonical text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The codec that sees this shape.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// 128-bit hash over codec and text: what snapshots carry. Stable across platforms and
    /// releases.
    ///
    /// ```
    /// use statefn::codec::Codec;
    /// use statefn::shape::Shape;
    ///
    /// let shape = Shape::of::<Vec<u8>>(Codec::Bincode)?;
    /// assert_eq!(shape.hash(), Shape::of::<Vec<u8>>(Codec::Bincode)?.hash());
    /// assert_ne!(shape.hash(), Shape::of::<Vec<u8>>(Codec::Json)?.hash());
    /// assert_ne!(shape.hash(), Shape::of::<Vec<i8>>(Codec::Bincode)?.hash());
    /// # Ok::<(), statefn::shape::ShapeError>(())
    /// ```
    pub fn hash(&self) -> u128 {
        let mut bytes = Vec::with_capacity(self.text.len() + 1);
        bytes.push(self.codec.id());
        bytes.extend_from_slice(self.text.as_bytes());
        crate::hash::stable_128(&bytes)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
