//! A declared index, as a value that says which rows it orders by which type.

use std::fmt;
use std::marker::PhantomData;

use crate::view::{Key, View};

/// An index of the view `V` over values of `T`: a constant that [`#[view]`](macro@crate::view) makes of
/// each field with `#[index]`, named after the field.
pub struct Index<V, T: ?Sized> {
    at: usize,
    of: PhantomData<fn(&T) -> V>,
}

impl<V: View, T: Key + ?Sized> Index<V, T> {
    /// The index at this place of [`View::INDEXES`].
    #[doc(hidden)]
    pub const fn at(at: usize) -> Self {
        let of = PhantomData;
        Self { at, of }
    }

    /// The declared name.
    pub fn name(&self) -> &'static str {
        V::INDEXES.get(self.at).copied().unwrap_or("")
    }
}

impl<V, T: ?Sized> Clone for Index<V, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V, T: ?Sized> Copy for Index<V, T> {}

impl<V: View, T: Key + ?Sized> fmt::Debug for Index<V, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Index").field(&self.name()).finish()
    }
}
