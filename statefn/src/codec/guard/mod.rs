//! Bounds that hold for every codec, on the way in and on the way out.
//!
//! Stored bytes may be damaged or hostile. Three things in them could cost more than they are
//! long: nesting (a stack), the length of a sequence whose elements take no bytes (time), and the
//! length of a string (memory). The first two are counted here, in the same way when a value is
//! encoded, so that nothing is written that could not be read back; strings are read in place.

mod decode;
mod encode;

use std::cell::Cell;

pub(super) use decode::GuardedSeed;
pub(super) use encode::Guarded;

/// Values inside values: structs, enums, options, sequences, maps, tuples, newtypes.
///
/// Below the 127 of `serde_json`, so that both codecs have one limit.
pub(super) const LEVELS_MAX: usize = 120;

/// Elements of sequences and entries of maps, in all of a value, beyond one for each byte.
pub(super) const FREE_ELEMENTS: usize = 65_536;

/// What is left of the bounds while a value is encoded or decoded.
#[derive(Debug)]
pub(super) struct Budget {
    levels: Cell<usize>,
    elements: Cell<usize>,
    exceeded: Cell<Option<Exceeded>>,
    /// JSON writes some values in a way that is not read back as what they were.
    is_json: bool,
}

/// The bound that a value went beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exceeded {
    Levels,
    Elements,
}

impl Budget {
    pub(super) fn new(elements: usize, is_json: bool) -> Self {
        Self {
            levels: Cell::new(LEVELS_MAX),
            elements: Cell::new(elements),
            exceeded: Cell::new(None),
            is_json,
        }
    }

    /// The bound that was exceeded, if one was.
    pub(super) fn exceeded(&self) -> Option<Exceeded> {
        self.exceeded.get()
    }

    /// How many elements were taken of a budget without end.
    pub(super) fn elements_taken(&self) -> usize {
        usize::MAX - self.elements.get()
    }

    fn elements_left(&self) -> usize {
        self.elements.get()
    }

    /// Goes `levels` down.
    fn enter<E>(&self, levels: usize, error: fn(&'static str) -> E) -> Result<(), E> {
        let Some(left) = self.levels.get().checked_sub(levels) else {
            self.exceeded.set(Some(Exceeded::Levels));
            return Err(error("nested too deeply"));
        };
        self.levels.set(left);
        Ok(())
    }

    /// Comes `levels` up again.
    fn leave(&self, levels: usize) {
        self.levels.set(self.levels.get().saturating_add(levels));
    }

    /// Takes one element.
    fn element<E>(&self, error: fn(&'static str) -> E) -> Result<(), E> {
        let Some(left) = self.elements.get().checked_sub(1) else {
            self.exceeded.set(Some(Exceeded::Elements));
            return Err(error("more elements than bytes"));
        };
        self.elements.set(left);
        Ok(())
    }
}
