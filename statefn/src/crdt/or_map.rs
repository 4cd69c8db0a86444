//! A map to other CRDTs.

use std::borrow::{Borrow, Cow};

use serde::{Deserialize, Serialize};

use super::add_wins::{AddWins, Slots};
use super::causal::{Claim, Dot};
use super::{Crdt, Writer};

/// A map to other CRDTs, which may be maps again. Updates of one key merge; an update wins over a
/// removal that has not seen it.
///
/// The keys are those of an add-wins set after Bieniusa et al. (INRIA RR-8083, 2012). For the
/// values, each replica has slots of its own, named by dots as in the dot functions of Almeida et
/// al. (2018), section 7, and the value is what all slots of the key merge to. A removal takes away
/// the slots that it has seen.
///
/// So what comes back when a removal meets an update that it has not seen is what the updating
/// replica did: that update for sure, and with it those of its earlier ones that were stored
/// together with it. What other replicas contributed stays removed. A key that was removed and is
/// used again begins with the empty value.
///
/// ```
/// use statefn::crdt::{Crdt, GCounter, OrMap, ReplicaId, Writer};
///
/// let mut one = Writer::new(ReplicaId::new(1), 0);
/// let mut two = Writer::new(ReplicaId::new(2), 0);
/// let mut here: OrMap<String, GCounter> = OrMap::default();
/// let mut there = here.clone();
/// here.update(&mut one, "tea".into(), |count, me| count.increment(me, 2));
/// there.update(&mut two, "tea".into(), |count, me| count.increment(me, 3));
/// here.merge(&there);
/// assert_eq!(here.get("tea").unwrap().value(), 5);
///
/// here.remove("tea");
/// there.update(&mut two, "tea".into(), |count, me| count.increment(me, 1));
/// here.merge(&there);
/// assert_eq!(here.get("tea").unwrap().value(), 4);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    transparent,
    bound(
        serialize = "K: Ord + Serialize, V: Serialize",
        deserialize = "K: Ord + Deserialize<'de>, V: Deserialize<'de>"
    )
)]
pub struct OrMap<K: Ord, V> {
    entries: AddWins<K, Slot<V>>,
    #[serde(skip)]
    delta: Option<Box<AddWins<K, Slot<V>>>>,
}

/// What one replica contributed to a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slot<V> {
    /// The first dot that its replica gave out inside the value since it last began with the key.
    /// Dots of one replica inside a value are never those of an earlier time of the key.
    since: u64,
    pub(super) value: V,
}

impl<K: Ord + Clone, V: Crdt> OrMap<K, V> {
    /// Changes the value of a key, or makes one from the empty value. A change that leaves the value
    /// as it is, is none; a key that comes to be is one.
    ///
    /// What `change` does to the value without being part of its delta (see [`Crdt::take_delta`]) is
    /// lost.
    pub fn update<R>(
        &mut self,
        writer: &mut Writer,
        key: K,
        change: impl FnOnce(&mut V, &mut Writer) -> R,
    ) -> R {
        let me = writer.replica();
        let slots = self.entries.get(&key);
        let mut value = slots.map(merged).unwrap_or_default();
        let own = || {
            slots
                .into_iter()
                .flatten()
                .filter(|(dot, _)| dot.replica == me)
        };
        let since = own().map(|(_, slot)| slot.since).min();
        let since = since.unwrap_or_else(|| writer.first(self.entries.context()));
        let mut inside = writer.inside(since);
        let result = change(&mut value, &mut inside);
        let delta = value.take_delta();
        if delta.is_none() && slots.is_some() {
            return result;
        }
        let Some(claim) = writer.claim(self.entries.context(), Some(&inside)) else {
            return result;
        };
        let (value, gone) = absorb(own(), delta.unwrap_or_default());
        self.store(key, &gone, claim, Slot { since, value });
        result
    }

    /// Removes a key. No change if it is not there. Answers whether it was.
    pub fn remove<Q>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let Some(stored) = self.entries.key(key).cloned() else {
            return false;
        };
        let delta = &mut self.delta;
        self.entries.replace(stored, |_| true, None, delta);
        true
    }

    /// Removes all keys. Answers whether there were any.
    pub fn clear(&mut self) -> bool {
        self.entries.clear(&mut self.delta)
    }

    /// The value of a key. It is merged from what each replica contributed, and borrowed where there
    /// is only one.
    pub fn get<Q>(&self, key: &Q) -> Option<Cow<'_, V>>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.entries.get(key).map(shown)
    }

    /// Keys and values, ascending by key.
    pub fn iter(&self) -> impl Iterator<Item = (&K, Cow<'_, V>)> {
        let entries = self.entries.iter();
        entries.map(|(key, slots)| (key, shown(slots)))
    }

    fn store(&mut self, key: K, gone: &[Dot], claim: Claim, slot: Slot<V>) {
        let is_gone = |dot: Dot| gone.contains(&dot);
        let new = Some((claim, slot));
        self.entries.replace(key, is_gone, new, &mut self.delta);
    }
}

impl<K: Ord, V> OrMap<K, V> {
    /// The keys, ascending.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.entries.iter().map(|(key, _)| key)
    }

    /// Whether the key is there.
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.entries.get(key).is_some()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What each replica contributed to a key.
    pub(super) fn slots<Q>(&self, key: &Q) -> Option<&Slots<Slot<V>>>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.entries.get(key)
    }
}

/// Own slots that are no larger than what is new go into it, the newest first. So their number
/// grows with the logarithm of the value, and a small change of a large value is a small delta.
fn absorb<'a, V: Crdt + 'a>(
    own: impl DoubleEndedIterator<Item = &'a (Dot, Slot<V>)> + Clone,
    delta: V,
) -> (V, Vec<Dot>) {
    let mut gone = Vec::new();
    let mut value = delta;
    if own.clone().next().is_none() {
        // A state, not only a delta: the first slot is where merging all of them begins.
        let mut whole = V::default();
        whole.merge(&value);
        value = whole;
    }
    for (dot, slot) in own.rev() {
        if slot.value.weight() > value.weight() {
            break;
        }
        let mut older = slot.value.clone();
        older.merge(&value);
        value = older;
        gone.push(*dot);
    }
    (value, gone)
}

fn merged<V: Crdt>(slots: &Slots<Slot<V>>) -> V {
    let mut value = V::default();
    for (_, slot) in slots {
        value.merge(&slot.value);
    }
    value
}

fn shown<V: Crdt>(slots: &Slots<Slot<V>>) -> Cow<'_, V> {
    match slots.as_slice() {
        [(_, slot)] => Cow::Borrowed(&slot.value),
        _ => Cow::Owned(merged(slots)),
    }
}

impl<K: Ord, V> Default for OrMap<K, V> {
    fn default() -> Self {
        Self {
            entries: AddWins::default(),
            delta: None,
        }
    }
}

impl<K: Ord, V: PartialEq> PartialEq for OrMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl<K: Ord, V: Eq> Eq for OrMap<K, V> {}

impl<K: Ord + Clone, V: Crdt> Crdt for OrMap<K, V> {
    fn merge(&mut self, other: &Self) {
        self.entries.merge(&other.entries);
    }

    fn take_delta(&mut self) -> Option<Self> {
        let entries = *self.delta.take()?;
        let delta = None;
        Some(Self { entries, delta })
    }

    fn weight(&self) -> usize {
        self.entries.len().saturating_add(1)
    }
}
