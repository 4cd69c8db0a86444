//! A set whose elements may be added and removed.

use std::borrow::Borrow;

use serde::{Deserialize, Serialize};

use super::add_wins::AddWins;
use super::{Crdt, Writer};

/// A set whose elements may be added and removed; an addition wins over a removal that has not seen
/// it.
///
/// After Bieniusa et al., "An optimized conflict-free replicated set" (INRIA RR-8083, 2012): no
/// tombstones; an element costs one dot, whatever was removed before. Deltas after Almeida et al.
/// (2018), section 7.
///
/// Elements are ordered, which makes the encoding stable, and cloned into deltas. Two elements that
/// are equal under `Ord` are one.
///
/// ```
/// use statefn::crdt::{Crdt, OrSet, ReplicaId, Writer};
///
/// let mut one = Writer::new(ReplicaId::new(1), 0);
/// let mut two = Writer::new(ReplicaId::new(2), 0);
/// let mut here = OrSet::default();
/// here.insert(&mut one, "tea");
/// here.insert(&mut one, "milk");
/// let mut there = here.clone();
///
/// // At the same time one removes both and the other adds one of them again.
/// here.clear();
/// there.insert(&mut two, "tea");
/// here.merge(&there);
/// assert!(here.contains("tea"));
/// assert!(!here.contains("milk"));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    transparent,
    bound(
        serialize = "T: Ord + Serialize",
        deserialize = "T: Ord + Deserialize<'de>"
    )
)]
pub struct OrSet<T: Ord> {
    elements: AddWins<T, ()>,
    #[serde(skip)]
    delta: Option<Box<AddWins<T, ()>>>,
}

impl<T: Ord + Clone> OrSet<T> {
    /// Adds an element, so that a removal that does not know of this addition leaves it. That holds
    /// if it is there already, so it is a change then as well. Answers whether it was not there.
    pub fn insert(&mut self, writer: &mut Writer, element: T) -> bool {
        let is_new = !self.contains(&element);
        if let Some(claim) = writer.claim(self.elements.context(), None) {
            let delta = &mut self.delta;
            self.elements
                .replace(element, |_| true, Some((claim, ())), delta);
        }
        is_new
    }

    /// Adds an element that is not there; no change if it is. Answers whether it was not there.
    ///
    /// ```
    /// use statefn::crdt::{Crdt, OrSet, ReplicaId, Writer};
    ///
    /// let mut me = Writer::new(ReplicaId::new(1), 0);
    /// let mut set = OrSet::default();
    /// assert!(set.insert_absent(&mut me, 5));
    /// set.take_delta();
    /// assert!(!set.insert_absent(&mut me, 5));
    /// assert!(set.take_delta().is_none());
    /// ```
    pub fn insert_absent(&mut self, writer: &mut Writer, element: T) -> bool {
        !self.contains(&element) && self.insert(writer, element)
    }

    /// Removes an element. No change if it is not there. Answers whether it was.
    pub fn remove<Q>(&mut self, element: &Q) -> bool
    where
        T: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let Some(stored) = self.elements.key(element).cloned() else {
            return false;
        };
        let delta = &mut self.delta;
        self.elements.replace(stored, |_| true, None, delta);
        true
    }

    /// Removes all elements. Answers whether there were any.
    pub fn clear(&mut self) -> bool {
        self.elements.clear(&mut self.delta)
    }
}

impl<T: Ord> OrSet<T> {
    /// Whether the element is there.
    pub fn contains<Q>(&self, element: &Q) -> bool
    where
        T: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.elements.get(element).is_some()
    }

    /// The elements, ascending.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.elements.iter().map(|(element, _)| element)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }
}

impl<T: Ord> Default for OrSet<T> {
    fn default() -> Self {
        Self {
            elements: AddWins::default(),
            delta: None,
        }
    }
}

impl<T: Ord> PartialEq for OrSet<T> {
    fn eq(&self, other: &Self) -> bool {
        self.elements == other.elements
    }
}

impl<T: Ord> Eq for OrSet<T> {}

impl<T: Ord + Clone> Crdt for OrSet<T> {
    fn merge(&mut self, other: &Self) {
        self.elements.merge(&other.elements);
    }

    fn take_delta(&mut self) -> Option<Self> {
        let elements = *self.delta.take()?;
        let delta = None;
        Some(Self { elements, delta })
    }

    fn weight(&self) -> usize {
        self.elements.len().saturating_add(1)
    }
}
