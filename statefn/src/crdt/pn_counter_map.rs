//! A map to counters.

use std::borrow::Borrow;

use serde::{Deserialize, Serialize};

use super::{Crdt, OrMap, PnCounter, Writer};

/// A map to counters that go up and down: an [`OrMap`] of [`PnCounter`]s, and as those follows
/// Bieniusa et al. (2012) in its keys and Shapiro et al. (INRIA RR-7506, 2011), specification 7, in
/// its values. A removed counter begins at zero again; what a removal has not seen of one replica
/// brings back what that replica counted.
///
/// ```
/// use statefn::crdt::{PnCounterMap, ReplicaId, Writer};
///
/// let mut me = Writer::new(ReplicaId::new(1), 0);
/// let mut stock = PnCounterMap::default();
/// stock.increment(&mut me, "tea", 5);
/// stock.decrement(&mut me, "tea", 7);
/// assert_eq!(stock.value("tea"), -2);
/// assert_eq!(stock.value("milk"), 0);
/// assert!(stock.remove("tea"));
/// assert_eq!(stock.value("tea"), 0);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    transparent,
    bound(
        serialize = "K: Ord + Serialize",
        deserialize = "K: Ord + Deserialize<'de>"
    )
)]
pub struct PnCounterMap<K: Ord> {
    counters: OrMap<K, PnCounter>,
}

impl<K: Ord + Clone> PnCounterMap<K> {
    /// Adds `by` to a counter, or takes it away if it is negative; see [`PnCounter::increment`].
    /// Zero is no change of a counter that is there, and makes one that is not.
    pub fn increment(&mut self, writer: &mut Writer, key: K, by: i64) {
        self.counters
            .update(writer, key, |counter, writer| counter.increment(writer, by));
    }

    /// Takes `by` away from a counter, or adds it if it is negative; see [`PnCounter::decrement`].
    pub fn decrement(&mut self, writer: &mut Writer, key: K, by: i64) {
        self.counters
            .update(writer, key, |counter, writer| counter.decrement(writer, by));
    }

    /// Removes a counter. No change if it is not there. Answers whether it was.
    pub fn remove<Q>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.counters.remove(key)
    }

    /// Removes all counters. Answers whether there were any.
    pub fn clear(&mut self) -> bool {
        self.counters.clear()
    }

    /// The value of a counter; 0 if it is not there.
    pub fn value<Q>(&self, key: &Q) -> i64
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let counter = self.counters.get(key);
        counter.map_or(0, |counter| counter.value())
    }

    /// Counters and their values, ascending by key.
    pub fn iter(&self) -> impl Iterator<Item = (&K, i64)> {
        let counters = self.counters.iter();
        counters.map(|(key, counter)| (key, counter.value()))
    }
}

impl<K: Ord> PnCounterMap<K> {
    /// Whether the counter is there.
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.counters.contains_key(key)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.counters.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.counters.is_empty()
    }
}

impl<K: Ord> Default for PnCounterMap<K> {
    fn default() -> Self {
        let counters = OrMap::default();
        Self { counters }
    }
}

impl<K: Ord> PartialEq for PnCounterMap<K> {
    fn eq(&self, other: &Self) -> bool {
        self.counters == other.counters
    }
}

impl<K: Ord> Eq for PnCounterMap<K> {}

impl<K: Ord + Clone> Crdt for PnCounterMap<K> {
    fn merge(&mut self, other: &Self) {
        self.counters.merge(&other.counters);
    }

    fn take_delta(&mut self) -> Option<Self> {
        let counters = self.counters.take_delta()?;
        Some(Self { counters })
    }

    fn weight(&self) -> usize {
        self.counters.weight()
    }
}
