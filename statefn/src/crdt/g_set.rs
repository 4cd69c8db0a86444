//! A set that grows.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use rpds::RedBlackTreeSetSync;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Crdt, wire};

/// A set that grows: nothing is ever removed, and merging is union.
///
/// After Shapiro et al. (INRIA RR-7506, 2011), specification 11; deltas after Almeida et al.
/// (2018), section 4.
///
/// ```
/// use statefn::crdt::{Crdt, GSet};
///
/// let mut here = GSet::default();
/// let mut there = GSet::default();
/// assert!(here.insert("tea"));
/// assert!(!here.insert("tea"));
/// there.insert("milk");
/// here.merge(&there);
/// assert_eq!(here.iter().collect::<Vec<_>>(), [&"milk", &"tea"]);
/// ```
#[derive(Clone, Debug)]
pub struct GSet<T: Ord> {
    elements: RedBlackTreeSetSync<T>,
    added: BTreeSet<T>,
}

impl<T: Ord + Clone> GSet<T> {
    /// Adds an element. No change if it is there. Answers whether it was not.
    pub fn insert(&mut self, element: T) -> bool {
        let is_new = !self.contains(&element);
        if is_new {
            self.elements.insert_mut(element.clone());
            self.added.insert(element);
        }
        is_new
    }
}

impl<T: Ord> GSet<T> {
    /// Whether the element is there.
    pub fn contains<Q>(&self, element: &Q) -> bool
    where
        T: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.elements.contains(element)
    }

    /// The elements, ascending.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.elements.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.elements.size()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }
}

impl<T: Ord> Default for GSet<T> {
    fn default() -> Self {
        Self {
            elements: RedBlackTreeSetSync::new_sync(),
            added: BTreeSet::new(),
        }
    }
}

impl<T: Ord> PartialEq for GSet<T> {
    fn eq(&self, other: &Self) -> bool {
        self.elements == other.elements
    }
}

impl<T: Ord> Eq for GSet<T> {}

impl<T: Ord + Clone> Crdt for GSet<T> {
    fn merge(&mut self, other: &Self) {
        if self.is_empty() {
            self.elements = other.elements.clone();
            return;
        }
        for element in &other.elements {
            if !self.contains(element) {
                self.elements.insert_mut(element.clone());
            }
        }
    }

    fn take_delta(&mut self) -> Option<Self> {
        if self.added.is_empty() {
            return None;
        }
        let mut delta = Self::default();
        for element in std::mem::take(&mut self.added) {
            delta.elements.insert_mut(element);
        }
        Some(delta)
    }

    fn weight(&self) -> usize {
        self.len().saturating_add(1)
    }
}

impl<T: Ord + Serialize> Serialize for GSet<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.elements)
    }
}

impl<'de, T: Ord + Deserialize<'de>> Deserialize<'de> for GSet<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut elements = RedBlackTreeSetSync::new_sync();
        wire::each(deserializer, |element: T, (): &mut ()| {
            if elements.last().is_some_and(|last| *last >= element) {
                return Err("elements that are not in order");
            }
            elements.insert_mut(element);
            Ok(())
        })?;
        let added = BTreeSet::new();
        Ok(Self { elements, added })
    }
}
