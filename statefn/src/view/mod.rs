//! Views: rows that projections keep, and that are read by key and by index.

mod index;
mod key;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::Codec;
use crate::shape::{Shape, ShapeError};

pub use index::Index;
pub use key::{Key, KeyOf, KeyWriter};

/// A row of a view. Made by [`#[view]`](macro@crate::view) on a struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no row of a view",
    note = "put `#[view]` on the struct, and `#[key]` on the field that rows are found by"
)]
pub trait View: Serialize + DeserializeOwned + Send + 'static {
    /// What a row is found by: the type of the field with `#[key]`, a tuple if there are several.
    type Key: Key;

    /// The name under which rows are stored.
    const NAME: &'static str;

    /// Which codec writes rows.
    const CODEC: Codec;

    /// The fields that make up the key.
    const KEY: &'static [&'static str];

    /// The fields with an index.
    const INDEXES: &'static [&'static str];

    /// Name of the row's shape, for one that cannot be traced. `None`: traced.
    const SHAPE: Option<&'static str> = None;

    /// Writes the row's key.
    fn write_key(&self, key: &mut KeyWriter);

    /// Writes the value under which the index at this place of [`INDEXES`](Self::INDEXES) lists the
    /// row.
    fn write_index(&self, index: usize, key: &mut KeyWriter);
}

/// What decides whether stored rows of a view can be read: the row's shape, its key and its indexes.
pub(crate) fn shape_of<V: View>() -> Result<Shape, ShapeError> {
    let row = match V::SHAPE {
        Some(name) => Shape::named(name, V::CODEC),
        None => Shape::of::<V>(V::CODEC)?,
    };
    let (key, indexes) = (V::KEY.join(", "), V::INDEXES.join(", "));
    let text = format!("{} by {key}; indexes: {indexes}; {}", V::NAME, row.text());
    Ok(Shape::named(&text, V::CODEC))
}
