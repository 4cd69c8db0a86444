//! Keys that may be added and removed, where an addition wins over a removal that has not seen it:
//! what sets and maps are made of.
//!
//! After Bieniusa et al., "An optimized conflict-free replicated set" (INRIA RR-8083, 2012), and the
//! causal dot stores of Almeida et al. (2018), section 7: what is removed leaves the store, and its
//! dot stays in the causal context, so there are no tombstones.
//!
//! One thing is added to the papers. A delta says whether it *lists* every key that its context is
//! about; a removed key is then listed without dots. So a replica merges it by looking up the keys
//! of the delta instead of going through all of its own.

use rpds::RedBlackTreeMapSync;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use smallvec::SmallVec;

use super::causal::{CausalContext, Claim, Dot};

/// What is stored for a key, by the dot of the change that stored it; ascending. A dot never gets
/// another value.
pub(super) type Slots<S> = SmallVec<[(Dot, S); 1]>;

#[derive(Clone, Debug, Deserialize)]
#[serde(
    try_from = "Wire<K, S>",
    bound(deserialize = "K: Ord + Deserialize<'de>, S: Deserialize<'de>")
)]
pub(super) struct AddWins<K: Ord, S> {
    entries: RedBlackTreeMapSync<K, Slots<S>>,
    context: CausalContext,
    /// The context is about the keys in `entries` only; only then an entry may be without dots.
    is_listed: bool,
}

impl<K: Ord, S> Default for AddWins<K, S> {
    fn default() -> Self {
        Self {
            entries: RedBlackTreeMapSync::new_sync(),
            context: CausalContext::default(),
            is_listed: false,
        }
    }
}

impl<K: Ord, S: PartialEq> PartialEq for AddWins<K, S> {
    fn eq(&self, other: &Self) -> bool {
        self.context == other.context && self.iter().eq(other.iter())
    }
}

impl<K: Ord, S: Eq> Eq for AddWins<K, S> {}

impl<K: Ord, S> AddWins<K, S> {
    /// An empty delta.
    pub(super) fn listed() -> Self {
        Self {
            is_listed: true,
            ..Self::default()
        }
    }

    pub(super) fn context(&self) -> &CausalContext {
        &self.context
    }

    /// The keys that are there, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &Slots<S>)> {
        let entries = self.entries.iter();
        entries.filter(|(_, slots)| !slots.is_empty())
    }

    pub(super) fn get<Q>(&self, key: &Q) -> Option<&Slots<S>>
    where
        K: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let slots = self.entries.get(key);
        slots.filter(|slots| !slots.is_empty())
    }

    /// The key as it is stored.
    pub(super) fn key<Q>(&self, key: &Q) -> Option<&K>
    where
        K: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let found = self.entries.get_key_value(key);
        found
            .filter(|(_, slots)| !slots.is_empty())
            .map(|(key, _)| key)
    }

    pub(super) fn len(&self) -> usize {
        if self.is_listed {
            self.iter().count()
        } else {
            self.entries.size()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Removes everything; `delta` then says that. Answers whether there was something.
    pub(super) fn clear(&mut self, delta: &mut Option<Box<Self>>) -> bool {
        let is_change = !self.is_empty();
        if is_change {
            self.entries = RedBlackTreeMapSync::new_sync();
            // It knows all that the delta knew, and has nothing of it.
            *delta = Some(Box::new(Self {
                context: self.context.clone(),
                ..Self::default()
            }));
        }
        is_change
    }
}

impl<K: Ord + Clone, S: Clone> AddWins<K, S> {
    /// Changes the slots of a key: those that `is_gone` names leave, and one may come. The same
    /// becomes part of the delta.
    pub(super) fn replace(
        &mut self,
        key: K,
        is_gone: impl Fn(Dot) -> bool,
        new: Option<(Claim, S)>,
        delta: &mut Option<Box<Self>>,
    ) {
        let delta = delta.get_or_insert_with(|| Box::new(Self::listed()));
        for (dot, _) in self.get(&key).into_iter().flatten() {
            if is_gone(*dot) {
                delta.context.insert(*dot);
            }
        }
        self.change(key.clone(), &is_gone, new.clone());
        delta.change(key, is_gone, new);
    }

    fn change(&mut self, key: K, is_gone: impl Fn(Dot) -> bool, new: Option<(Claim, S)>) {
        let mut slots = self.entries.get(&key).cloned().unwrap_or_default();
        slots.retain(|(dot, _)| !is_gone(*dot));
        if let Some((claim, slot)) = new {
            let place = slots.partition_point(|(dot, _)| *dot < claim.dot);
            slots.insert(place, (claim.dot, slot));
            self.context.claim(claim);
        }
        self.put(key, slots);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if other.context.is_empty() {
            return;
        }
        if self.context.is_empty() && (self.is_listed || !other.is_listed) {
            self.clone_from(other);
            return;
        }
        let changes = if other.is_listed {
            self.changes_by_keys(other)
        } else {
            self.changes_by_all(other)
        };
        if self.is_listed && !other.is_listed {
            self.is_listed = false;
            self.drop_names();
        }
        for (key, slots) in changes {
            self.put(key, slots);
        }
        self.context.merge(&other.context);
    }

    fn changes_by_keys(&self, other: &Self) -> Vec<(K, Slots<S>)> {
        let mut changes = Vec::new();
        for (key, theirs) in &other.entries {
            let mine = self.entries.get(key);
            if let Some(joined) = self.joined(mine, other, Some(theirs)) {
                changes.push((key.clone(), joined));
            }
        }
        changes
    }

    /// Both in one pass.
    fn changes_by_all(&self, other: &Self) -> Vec<(K, Slots<S>)> {
        let mut changes = Vec::new();
        let mut mine = self.entries.iter().peekable();
        let mut theirs = other.entries.iter().peekable();
        loop {
            let order = match (mine.peek(), theirs.peek()) {
                (None, None) => return changes,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some((mine, _)), Some((theirs, _))) => mine.cmp(theirs),
            };
            let left = if order.is_le() { mine.next() } else { None };
            let right = if order.is_ge() { theirs.next() } else { None };
            let joined = self.joined(
                left.map(|(_, slots)| slots),
                other,
                right.map(|(_, slots)| slots),
            );
            if let (Some(joined), Some((key, _))) = (joined, left.or(right)) {
                changes.push((key.clone(), joined));
            }
        }
    }

    /// The slots of a key after a merge; `None` if they stay as they are.
    fn joined(
        &self,
        mine: Option<&Slots<S>>,
        other: &Self,
        theirs: Option<&Slots<S>>,
    ) -> Option<Slots<S>> {
        let has = |slots: Option<&Slots<S>>, dot: Dot| {
            slots.is_some_and(|slots| slots.iter().any(|(own, _)| *own == dot))
        };
        let kept = |(dot, _): &&(Dot, S)| has(theirs, *dot) || !other.context.contains(*dot);
        let new = |(dot, _): &&(Dot, S)| !has(mine, *dot) && !self.context.contains(*dot);
        let mine_or_none = || mine.into_iter().flatten();
        let theirs_or_none = || theirs.into_iter().flatten();
        let loses_none = mine.is_some() && mine_or_none().all(|slot| kept(&slot));
        if loses_none && !theirs_or_none().any(|slot| new(&slot)) {
            return None;
        }
        let kept = mine_or_none().filter(kept);
        let mut joined: Slots<S> = kept.chain(theirs_or_none().filter(new)).cloned().collect();
        joined.sort_unstable_by_key(|(dot, _)| *dot);
        Some(joined)
    }

    fn put(&mut self, key: K, slots: Slots<S>) {
        if slots.is_empty() && !self.is_listed {
            self.entries.remove_mut(&key);
        } else {
            self.entries.insert_mut(key, slots);
        }
    }

    fn drop_names(&mut self) {
        let entries = self.entries.iter();
        let names = entries.filter(|(_, slots)| slots.is_empty());
        let names: Vec<K> = names.map(|(key, _)| key.clone()).collect();
        for name in &names {
            self.entries.remove_mut(name);
        }
    }
}

/// As it is encoded. A dot's replica is its place, from 1, among those of the context.
#[derive(Deserialize)]
#[serde(bound(deserialize = "K: Deserialize<'de>, S: Deserialize<'de>"))]
struct Wire<K, S> {
    context: CausalContext,
    is_listed: bool,
    entries: Vec<(K, Vec<WireSlot<S>>)>,
}

type WireSlot<S> = (u32, u64, S);

impl<K: Ord + Serialize, S: Serialize> Serialize for AddWins<K, S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let replicas = self.context.replicas();
        let mut fields = serializer.serialize_struct("AddWins", 3)?;
        fields.serialize_field("context", &self.context)?;
        fields.serialize_field("is_listed", &self.is_listed)?;
        let (entries, replicas) = (&self.entries, replicas.as_slice());
        fields.serialize_field("entries", &Entries { entries, replicas })?;
        fields.end()
    }
}

struct Entries<'a, K: Ord, S> {
    entries: &'a RedBlackTreeMapSync<K, Slots<S>>,
    replicas: &'a [super::ReplicaId],
}

struct Places<'a, S> {
    slots: &'a Slots<S>,
    replicas: &'a [super::ReplicaId],
}

impl<K: Ord + Serialize, S: Serialize> Serialize for Entries<'_, K, S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let replicas = self.replicas;
        serializer.collect_seq(
            self.entries
                .iter()
                .map(|(key, slots)| (key, Places { slots, replicas })),
        )
    }
}

impl<S: Serialize> Serialize for Places<'_, S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.collect_seq(self.slots.iter().map(|(dot, slot)| {
            let place = self.replicas.partition_point(|id| *id <= dot.replica);
            (u32::try_from(place).unwrap_or_default(), dot.number, slot)
        }))
    }
}

impl<K: Ord, S> TryFrom<Wire<K, S>> for AddWins<K, S> {
    type Error = &'static str;

    fn try_from(wire: Wire<K, S>) -> Result<Self, &'static str> {
        let replicas = wire.context.replicas();
        let mut entries = RedBlackTreeMapSync::new_sync();
        for (key, stored) in wire.entries {
            let mut slots = Slots::new();
            for (place, number, slot) in stored {
                let place = usize::try_from(place).ok().and_then(|at| at.checked_sub(1));
                let replica = place.and_then(|at| replicas.get(at));
                let dot = replica.map(|&replica| Dot { replica, number });
                let Some(dot) = dot.filter(|dot| wire.context.contains(*dot)) else {
                    return Err("a dot that is not in the context");
                };
                if slots.last().is_some_and(|(before, _)| *before >= dot) {
                    return Err("dots that are not in order");
                }
                slots.push((dot, slot));
            }
            if slots.is_empty() && !wire.is_listed {
                return Err("a key without dots");
            }
            if entries.last().is_some_and(|(before, _)| *before >= key) {
                return Err("keys that are not in order");
            }
            entries.insert_mut(key, slots);
        }
        Ok(Self {
            entries,
            context: wire.context,
            is_listed: wire.is_listed,
        })
    }
}
