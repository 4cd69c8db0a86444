//! A map to plain values.

use std::borrow::Borrow;

use serde::{Deserialize, Serialize};

use super::{Clock, Crdt, LwwRegister, OrMap, Writer};

/// A map to plain values: an [`OrMap`] of [`LwwRegister`]s, and as those follows Bieniusa et al.
/// (2012) in its keys and Shapiro et al. (INRIA RR-7506, 2011), specification 8, in its values. Of
/// concurrent writes to a key the later one wins; a write wins over a removal that has not seen it.
///
/// ```
/// use statefn::crdt::{Crdt, LwwMap, ReplicaId, Writer};
///
/// let mut here = LwwMap::default();
/// let mut there = LwwMap::default();
/// here.put(&mut Writer::new(ReplicaId::new(1), 1_000), "topic", "tea");
/// there.put(&mut Writer::new(ReplicaId::new(2), 1_001), "topic", "milk");
/// here.merge(&there);
/// assert_eq!(here.get("topic"), Some(&"milk"));
/// assert!(here.remove("topic"));
/// assert_eq!(here.get("topic"), None);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    transparent,
    bound(
        serialize = "K: Ord + Serialize, T: Serialize",
        deserialize = "K: Ord + Deserialize<'de>, T: Deserialize<'de>"
    )
)]
pub struct LwwMap<K: Ord, T> {
    registers: OrMap<K, LwwRegister<T>>,
}

impl<K: Ord + Clone, T: Clone> LwwMap<K, T> {
    /// Writes a value by the clock [`Clock::LastWins`].
    pub fn put(&mut self, writer: &mut Writer, key: K, value: T) -> bool {
        self.put_by(writer, Clock::LastWins, key, value)
    }

    /// Writes a value by a clock. Answers whether it is the value now, see
    /// [`LwwRegister::set_by`].
    pub fn put_by(&mut self, writer: &mut Writer, clock: Clock, key: K, value: T) -> bool {
        let write = |register: &mut LwwRegister<T>, writer: &mut Writer| {
            register.set_by(writer, clock, value)
        };
        self.registers.update(writer, key, write)
    }

    /// Removes a key. No change if it is not there. Answers whether it was.
    pub fn remove<Q>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.registers.remove(key)
    }

    /// Removes all keys. Answers whether there were any.
    pub fn clear(&mut self) -> bool {
        self.registers.clear()
    }
}

impl<K: Ord, T> LwwMap<K, T> {
    /// The value of a key.
    pub fn get<Q>(&self, key: &Q) -> Option<&T>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let slots = self.registers.slots(key)?.iter();
        let registers = slots.map(|(_, slot)| &slot.value);
        registers.max_by_key(|register| register.stamp())?.get()
    }

    /// Keys and values, ascending by key.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &T)> {
        let keys = self.registers.keys();
        keys.filter_map(|key| Some((key, self.get(key)?)))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.registers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.registers.is_empty()
    }
}

impl<K: Ord, T> Default for LwwMap<K, T> {
    fn default() -> Self {
        let registers = OrMap::default();
        Self { registers }
    }
}

impl<K: Ord, T: PartialEq> PartialEq for LwwMap<K, T> {
    fn eq(&self, other: &Self) -> bool {
        self.registers == other.registers
    }
}

impl<K: Ord, T: Eq> Eq for LwwMap<K, T> {}

impl<K: Ord + Clone, T: Clone> Crdt for LwwMap<K, T> {
    fn merge(&mut self, other: &Self) {
        self.registers.merge(&other.registers);
    }

    fn take_delta(&mut self) -> Option<Self> {
        let registers = self.registers.take_delta()?;
        Some(Self { registers })
    }

    fn weight(&self) -> usize {
        self.registers.weight()
    }
}
