//! What a handler writes rows through.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

use crate::codec::{DecodeError, EncodeError};
use crate::projection::rows::{Put, Rows};
use crate::projection::{Projection, ViewOf};
use crate::view::{KeyOf, KeyWriter, View};

/// A row has at most so many bytes.
pub(crate) const ROW_BYTES_MAX: usize = 1024 * 1024;
/// A key, and a value of an index, has at most so many bytes.
pub(crate) const KEY_BYTES_MAX: usize = 1024;

/// The rows of the projection `P`, as a handler reads and writes them: all of one handler's changes
/// are stored together with the offset of its entry, or none.
///
/// A handler sees what it and those before it have written, committed or not.
pub struct Views<P> {
    rows: Rows,
    of: PhantomData<fn() -> P>,
}

/// Why a handler cannot read or write a row. Hand it on with `?`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// The row is still in the store: it is fetched, and the handler runs again. Whatever the
    /// handler makes of this error, nothing that it did counts.
    #[error("the row has not been read yet: the handler runs again when it has")]
    NotRead,
    /// The row cannot be encoded.
    #[error("a row of view {view} cannot be encoded")]
    Encode {
        /// The view.
        view: &'static str,
        /// What the codec said.
        #[source]
        source: EncodeError,
    },
    /// The stored row cannot be decoded.
    #[error("a row of view {view} cannot be read")]
    Decode {
        /// The view.
        view: &'static str,
        /// What the codec said.
        #[source]
        source: DecodeError,
    },
    /// A row has more than 1 MiB, or a key or a value of an index more than 1 KiB.
    #[error("{what} of view {view} has {bytes} bytes, at most {max}")]
    TooLarge {
        /// The view.
        view: &'static str,
        /// What is too large.
        what: &'static str,
        /// How large.
        bytes: usize,
        /// The limit.
        max: usize,
    },
}

impl<P: Projection> Views<P> {
    /// The row of this key, if there is one. A key of text takes `&str`.
    ///
    /// # Errors
    ///
    /// See [`ViewError`]; hand it on with `?`.
    pub fn get<V: ViewOf<P>>(
        &mut self,
        key: &(impl KeyOf<V> + ?Sized),
    ) -> Result<Option<V>, ViewError> {
        let row = (
            V::PLACE,
            checked::<V>("a key", key.to_bytes(), KEY_BYTES_MAX)?,
        );
        match self.rows.get(row) {
            Err(()) => Err(ViewError::NotRead),
            Ok(None) => Ok(None),
            Ok(Some(payload)) => match V::CODEC.decode(payload) {
                Ok(row) => Ok(Some(row)),
                Err(source) => {
                    let view = V::NAME;
                    Err(ViewError::Decode { view, source })
                }
            },
        }
    }

    /// Writes a row, in place of the one of its key.
    ///
    /// # Errors
    ///
    /// See [`ViewError`].
    pub fn put<V: ViewOf<P>>(&mut self, row: &V) -> Result<(), ViewError> {
        let view = V::NAME;
        let mut payload = Vec::new();
        V::CODEC
            .encode(row, &mut payload)
            .map_err(|source| ViewError::Encode { view, source })?;
        let payload = checked::<V>("a row", payload, ROW_BYTES_MAX)?;
        let mut key = KeyWriter::default();
        row.write_key(&mut key);
        let key = checked::<V>("a key", key.into_bytes(), KEY_BYTES_MAX)?;
        let mut indexed = Vec::with_capacity(V::INDEXES.len());
        for (at, index) in V::INDEXES.iter().copied().enumerate() {
            let mut value = KeyWriter::default();
            row.write_index(at, &mut value);
            let value = value.into_bytes();
            indexed.push((
                index,
                checked::<V>("a value of an index", value, KEY_BYTES_MAX)?,
            ));
        }
        self.rows
            .stage((V::PLACE, key), Some(Put { payload, indexed }));
        Ok(())
    }

    /// Removes the row of this key, if there is one.
    ///
    /// # Errors
    ///
    /// The key is too large.
    pub fn delete<V: ViewOf<P>>(
        &mut self,
        key: &(impl KeyOf<V> + ?Sized),
    ) -> Result<(), ViewError> {
        let key = checked::<V>("a key", key.to_bytes(), KEY_BYTES_MAX)?;
        self.rows.stage((V::PLACE, key), None);
        Ok(())
    }
}

fn checked<V: View>(what: &'static str, bytes: Vec<u8>, max: usize) -> Result<Vec<u8>, ViewError> {
    if bytes.len() > max {
        return Err(ViewError::TooLarge {
            view: V::NAME,
            what,
            bytes: bytes.len(),
            max,
        });
    }
    Ok(bytes)
}

impl<P> fmt::Debug for Views<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Views<{}>", type_name::<P>())
    }
}

/// Lends rows to a handler, and takes them back however it ends.
pub(crate) struct Lent<'a, P> {
    pub(crate) views: Views<P>,
    owner: &'a mut Rows,
}

impl<'a, P> Lent<'a, P> {
    pub(crate) fn new(owner: &'a mut Rows) -> Self {
        let rows = std::mem::take(owner);
        let of = PhantomData;
        Self {
            views: Views { rows, of },
            owner,
        }
    }
}

impl<P> Drop for Lent<'_, P> {
    fn drop(&mut self) {
        *self.owner = std::mem::take(&mut self.views.rows);
    }
}
