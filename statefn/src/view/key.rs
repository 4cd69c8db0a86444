//! Keys of rows and values of indexes, as bytes that order as they do.

use std::borrow::Borrow;

use statefn_store::Timestamp;
use storekey::{Encode, Writer};

use crate::view::View;

/// What a row of a view is found by: a value whose encoding orders as the value does.
///
/// Numbers order as numbers, texts by their bytes (as `str` does), `false` before `true`, `None` before
/// every `Some`, tuples by their first part, then by the second. Floats order as `total_cmp` says.
/// The encoding is that of the crate `storekey`.
///
/// For a type of your own that is a key underneath, delegate:
///
/// ```
/// use statefn::view::{Key, KeyWriter};
///
/// struct Sku(String);
///
/// impl Key for Sku {
///     fn write(&self, key: &mut KeyWriter) {
///         self.0.write(key);
///     }
/// }
///
/// assert_eq!(Sku("p1".into()).to_bytes(), "p1".to_bytes());
/// assert!((-5_i64).to_bytes() < 3_i64.to_bytes());
/// assert!(("a", 2).to_bytes() < ("b", 1).to_bytes());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no key: nothing says how its values are ordered",
    label = "needs `statefn::view::Key`",
    note = "keys are integers, `bool`, `char`, `String`, `Vec<u8>`, `Timestamp`, `Option` and tuples of \
            them; for a type of your own write `impl Key for {Self}`"
)]
pub trait Key {
    /// Writes the value behind what was written before.
    fn write(&self, key: &mut KeyWriter);

    /// The encoding of the value alone.
    fn to_bytes(&self) -> Vec<u8> {
        let mut key = KeyWriter::default();
        self.write(&mut key);
        key.into_bytes()
    }
}

/// What a row of the view `V` can be asked for by: its key, or what the key lends itself as (`str` for
/// `String`).
#[diagnostic::on_unimplemented(
    message = "rows of `{V}` are not found by a `{Self}`",
    label = "not the type of the field with `#[key]`"
)]
pub trait KeyOf<V: View>: Key {}

impl<V: View, K: Key + ?Sized> KeyOf<V> for K where V::Key: Borrow<K> {}

/// Gathers the bytes of a [`Key`].
#[derive(Debug, Default)]
pub struct KeyWriter(Vec<u8>);

impl KeyWriter {
    fn encode(&mut self, value: &(impl Encode + ?Sized)) {
        // Into memory, which takes everything.
        let _ = value.encode(&mut Writer::new(&mut self.0));
    }

    /// What was written.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

macro_rules! keys {
    ($($key:ty),+) => {
        $(impl Key for $key {
            fn write(&self, key: &mut KeyWriter) {
                key.encode(self);
            }
        })+
    };
}

keys!(
    u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64, bool, char, str, String
);

impl Key for usize {
    fn write(&self, key: &mut KeyWriter) {
        key.encode(&(*self as u64));
    }
}

impl Key for [u8] {
    fn write(&self, key: &mut KeyWriter) {
        key.encode(self);
    }
}

impl Key for Vec<u8> {
    fn write(&self, key: &mut KeyWriter) {
        self.as_slice().write(key);
    }
}

impl Key for Timestamp {
    fn write(&self, key: &mut KeyWriter) {
        self.as_millis().write(key);
    }
}

impl<K: Key + ?Sized> Key for &K {
    fn write(&self, key: &mut KeyWriter) {
        (**self).write(key);
    }
}

impl<K: Key + ?Sized> Key for Box<K> {
    fn write(&self, key: &mut KeyWriter) {
        (**self).write(key);
    }
}

impl<K: Key> Key for Option<K> {
    fn write(&self, key: &mut KeyWriter) {
        self.is_some().write(key);
        if let Some(value) = self {
            value.write(key);
        }
    }
}

macro_rules! tuples {
    ($(($($part:ident)+))+) => {
        $(impl<$($part: Key),+> Key for ($($part,)+) {
            #[expect(non_snake_case, reason = "parts of a tuple are named like their types")]
            fn write(&self, key: &mut KeyWriter) {
                let ($($part,)+) = self;
                $($part.write(key);)+
            }
        })+
    };
}

tuples! { (A) (A B) (A B C) (A B C D) }
