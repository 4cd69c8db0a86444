//! An entity's state in memory, with what is known of its stored form.

use crate::entity::{Behavior, Entity, Model};

/// A state in memory.
pub(crate) struct Resident<E: Behavior> {
    pub(crate) state: E,
    /// Of a state that is stored whole: the hash of its bytes.
    pub(crate) stored: <<E as Entity>::Kind as Model<E>>::Stored,
}

impl<E: Behavior> Resident<E> {
    /// A state of which nothing is stored.
    pub(crate) fn new(state: E) -> Self {
        Self {
            state,
            stored: Default::default(),
        }
    }

    /// What a command works on, if not on the state itself.
    pub(crate) fn copy(&self) -> Option<E> {
        <E::Kind as Model<E>>::copy(&self.state)
    }

    /// The hash of the stored state's bytes; `None` if nothing is stored whole.
    pub(crate) fn digest(&self) -> Option<u128> {
        <E::Kind as Model<E>>::digest(self.stored)
    }

    /// It is deleted. Nothing may come after it where the state model says so.
    pub(crate) fn is_deleted(&mut self) {
        self.stored = <E::Kind as Model<E>>::deleted();
    }

    /// Whether it is deleted for good.
    pub(crate) fn has_ended(&self) -> bool {
        <E::Kind as Model<E>>::has_ended(self.stored)
    }

    /// A state with this hash of its bytes is stored, or none.
    pub(crate) fn is_stored(&mut self, digest: Option<u128>) {
        self.stored = digest.map_or_else(Default::default, <E::Kind as Model<E>>::stored);
    }
}
