//! Dots and causal contexts: which changes a state knows of.
//!
//! After Almeida, Shoker and Baquero (see the module above), section 7, and Preguiça et al.,
//! "Dotted version vectors" (2010): a context is a set of dots, kept as a few ranges a replica,
//! one if nothing was lost on the way.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::replica::ReplicaId;
use super::wire;

/// Names one change: the `number`-th of `replica`, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dot {
    pub(super) replica: ReplicaId,
    pub(super) number: u64,
}

/// Numbers that a writer takes at once; the last one names the change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) first: u64,
    pub(super) dot: Dot,
}

/// A set of dots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CausalContext {
    /// No list is empty.
    seen: BTreeMap<ReplicaId, Ranges>,
}

/// First and last numbers, ascending, with at least one number missing in between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ranges(Vec<(u64, u64)>);

impl CausalContext {
    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    pub(super) fn contains(&self, dot: Dot) -> bool {
        let ranges = self.seen.get(&dot.replica);
        ranges.is_some_and(|ranges| ranges.contains(dot.number))
    }

    /// The number after all of a replica that are known.
    pub(super) fn next(&self, replica: ReplicaId) -> u64 {
        let last = self.seen.get(&replica).map_or(0, Ranges::last);
        last.saturating_add(1)
    }

    pub(super) fn insert(&mut self, dot: Dot) {
        self.insert_range(dot.replica, dot.number, dot.number);
    }

    pub(super) fn claim(&mut self, claim: Claim) {
        self.insert_range(claim.dot.replica, claim.first, claim.dot.number);
    }

    fn insert_range(&mut self, replica: ReplicaId, first: u64, last: u64) {
        self.seen.entry(replica).or_default().insert(first, last);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (replica, theirs) in &other.seen {
            self.seen.entry(*replica).or_default().merge(theirs);
        }
    }

    /// The replicas, ascending: a stored dot names its replica by its place in this list.
    pub(super) fn replicas(&self) -> Vec<ReplicaId> {
        self.seen.keys().copied().collect()
    }
}

impl Ranges {
    fn last(&self) -> u64 {
        self.0.last().map_or(0, |(_, last)| *last)
    }

    fn contains(&self, number: u64) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= number);
        let range = after.checked_sub(1).and_then(|index| self.0.get(index));
        range.is_some_and(|(_, last)| number <= *last)
    }

    fn insert(&mut self, first: u64, last: u64) {
        if let Some(newest) = self.0.last_mut()
            && newest.0 <= first
            && first <= newest.1.saturating_add(1)
        {
            newest.1 = newest.1.max(last);
            return;
        }
        if first > self.last() {
            self.0.push((first, last));
            return;
        }
        self.merge(&Self(vec![(first, last)]));
    }

    fn merge(&mut self, other: &Self) {
        if self == other {
            return;
        }
        let mut all = std::mem::take(&mut self.0);
        all.extend_from_slice(&other.0);
        all.sort_unstable();
        for (first, last) in all {
            match self.0.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last);
                }
                _ => self.0.push((first, last)),
            }
        }
    }
}

impl Serialize for CausalContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.seen)
    }
}

impl<'de> Deserialize<'de> for CausalContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut seen = BTreeMap::new();
        wire::ascending(deserializer, |replica, ranges: Ranges| {
            if ranges.0.is_empty() {
                return Err("a replica without dots");
            }
            seen.insert(replica, ranges);
            Ok(())
        })?;
        Ok(Self { seen })
    }
}

/// As steps, each counted from the end of the range before: how far to the first number, and how
/// many there are.
impl Serialize for Ranges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut end = 0;
        serializer.collect_seq(self.0.iter().map(|(first, last)| {
            let step = (first - end, last - first + 1);
            end = *last;
            step
        }))
    }
}

impl<'de> Deserialize<'de> for Ranges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let steps = Vec::<(u64, u64)>::deserialize(deserializer)?;
        let mut end = 0_u64;
        let mut ranges = Vec::with_capacity(steps.len());
        for (gap, length) in steps {
            let is_apart = ranges.is_empty() || gap > 1;
            let first = end.checked_add(gap).filter(|_| gap > 0 && is_apart);
            let last = first.and_then(|first| first.checked_add(length.checked_sub(1)?));
            let (Some(first), Some(last)) = (first, last.filter(|last| *last < u64::MAX)) else {
                return Err(D::Error::custom("ranges of dots that are not in order"));
            };
            ranges.push((first, last));
            end = last;
        }
        Ok(Self(ranges))
    }
}
