//! The journal in memory: entries in commit order, and per entity where its own lie.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry as MapEntry;
use std::ops::Bound;
use std::sync::Arc;

use super::kept::Kept;
use super::prepared::Prepared;
use crate::{
    EntityType, Entry, Head, IdMap, NewSnapshot, Offset, Outcome, PersistenceId, Refusal, Replay,
    SequenceNumber, SnapshotRef, StoreReport, StoredCalls, StoredRecord, StoredViews, Timestamp,
};

/// All entries of a store.
#[derive(Default)]
pub(super) struct Journal {
    /// Entry `n` has offset `n + 1`.
    entries: Vec<Arc<Kept>>,
    entities: IdMap<Entity>,
    /// The keys of `entities` in order: a page of them must not sort all.
    ids: BTreeSet<PersistenceId>,
    calls: StoredCalls,
    views: StoredViews,
}

/// What is known of one entity. A load takes it by cloning pointers, whatever its length; a commit
/// copies a list only while a load still holds it.
#[derive(Clone, Default)]
struct Entity {
    head: Head,
    /// Its events, states and deletions, in order: the one with sequence number `n` lies at `n - 1`.
    events: Arc<Vec<Arc<Kept>>>,
    /// Its entries with an idempotency record, in order.
    records: Arc<Vec<Arc<Kept>>>,
    skips: Arc<BTreeSet<SequenceNumber>>,
    /// Its newest state or deletion.
    whole: SequenceNumber,
    snapshot: Option<Arc<(SequenceNumber, NewSnapshot)>>,
}

impl Journal {
    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Appends everything a member holds, or refuses it.
    pub(super) fn append(&mut self, prepared: Prepared) -> Outcome {
        let Self {
            entries,
            entities,
            ids,
            calls,
            views: _,
        } = self;
        let Prepared {
            id,
            expected,
            kept,
            snapshot,
            time,
            deferred,
        } = prepared;
        let head = entities.get(&id).map(|e| e.head).unwrap_or_default();
        if head.sequence != expected {
            return Outcome::Refused(Refusal::Stale {
                expected,
                actual: head.sequence,
            });
        }
        let settles = deferred.as_ref().and_then(|d| d.settles.as_ref());
        if settles.is_some_and(|call| !calls.has(call)) {
            return Outcome::Refused(Refusal::Settled);
        }
        if kept.is_empty() {
            let position = head.position;
            if let Some(deferred) = deferred {
                calls.append(*deferred, &id, time, position);
            }
            return Outcome::Committed { position };
        }
        let sender = deferred.is_some().then(|| id.clone());
        let entity = match entities.entry(id) {
            MapEntry::Occupied(known) => known.into_mut(),
            MapEntry::Vacant(new) => {
                ids.insert(new.key().clone());
                new.insert(Entity::default())
            }
        };
        for mut kept in kept {
            if let Some(unshared) = Arc::get_mut(&mut kept) {
                unshared.offset = Offset::new(entries.len() as u64).next();
            }
            entity.push(&kept);
            entries.push(kept);
        }
        if let Some(snapshot) = snapshot {
            entity.snapshot = Some(snapshot);
        }
        let position = entity.head.position;
        if let (Some(deferred), Some(sender)) = (deferred, sender) {
            calls.append(*deferred, &sender, time, position);
        }
        Outcome::Committed { position }
    }

    /// The stored calls.
    pub(super) fn calls(&self) -> &StoredCalls {
        &self.calls
    }

    /// The stored calls, to change them.
    pub(super) fn calls_mut(&mut self) -> &mut StoredCalls {
        &mut self.calls
    }

    /// The projections and their rows.
    pub(super) fn views(&self) -> &StoredViews {
        &self.views
    }

    /// The projections and their rows, to change them.
    pub(super) fn views_mut(&mut self) -> &mut StoredViews {
        &mut self.views
    }

    /// What there is of an entity now.
    pub(super) fn history(&self, id: &PersistenceId) -> History {
        History(self.entities.get(id).cloned().unwrap_or_default())
    }

    /// The newest record under `key`, from the one at `newest` backward.
    pub(super) fn find_record(
        &self,
        id: &PersistenceId,
        key: &str,
        newest: Offset,
    ) -> Option<StoredRecord> {
        let records = &self.entities.get(id)?.records;
        let older = records.iter().rev().filter(|e| e.offset <= newest);
        let mut named = older.filter(|e| e.record_ref().is_some_and(|record| record.key == key));
        named.next()?.stored_record()
    }

    /// Erases what an entity's entries before its newest deletion say. How many that were.
    pub(super) fn erase(&mut self, id: &PersistenceId, records_from: Timestamp) -> u64 {
        let Some(entity) = self.entities.get_mut(id) else {
            return 0;
        };
        let Some(deletion) = entity.events.iter().rfind(|kept| kept.is_deletion()) else {
            return 0;
        };
        let end = usize::try_from(deletion.offset.get() - 1).unwrap_or(usize::MAX);
        let mut count = 0;
        for kept in self.entries.iter_mut().take(end) {
            if kept.id() != id {
                continue;
            }
            if let Some(erased) = kept.erased(records_from) {
                *kept = Arc::new(erased);
                count += 1;
            }
        }
        let at = |kept: &Arc<Kept>| usize::try_from(kept.offset.get() - 1).unwrap_or(usize::MAX);
        for list in [&mut entity.events, &mut entity.records] {
            for kept in Arc::make_mut(list) {
                if let Some(current) = self.entries.get(at(kept)) {
                    *kept = Arc::clone(current);
                }
            }
        }
        Arc::make_mut(&mut entity.records).retain(|kept| kept.record_ref().is_some());
        count
    }

    /// A page of entries.
    pub(super) fn read(&self, from: Offset, limit: usize) -> Vec<Entry> {
        let skip = usize::try_from(from.get().saturating_sub(1)).unwrap_or(usize::MAX);
        self.entries
            .iter()
            .skip(skip)
            .take(limit)
            .filter_map(|kept| kept.entry())
            .collect()
    }

    /// A page of entities.
    pub(super) fn entities(
        &self,
        after: Option<&PersistenceId>,
        limit: usize,
    ) -> Vec<PersistenceId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let ids = self.ids.range((from, Bound::Unbounded));
        ids.take(limit).cloned().collect()
    }

    /// The types of all entities.
    pub(super) fn entity_types(&self) -> Vec<EntityType> {
        let mut types: Vec<EntityType> = Vec::new();
        for entity_type in self.ids.iter().map(PersistenceId::entity_type) {
            if types.last() != Some(entity_type) {
                types.push(entity_type.clone());
            }
        }
        types
    }

    /// Counts; memory has no damage to report.
    pub(super) fn report(&self) -> StoreReport {
        StoreReport {
            entities: self.entities.len() as u64,
            entries: self.entries.len() as u64,
            snapshots: self
                .entities
                .values()
                .filter(|e| e.snapshot.is_some())
                .count() as u64,
            faults: Vec::new(),
        }
    }
}

impl Entity {
    fn push(&mut self, kept: &Arc<Kept>) {
        self.head.sequence = kept.sequence;
        self.head.position = kept.offset;
        if kept.advances() {
            Arc::make_mut(&mut self.events).push(Arc::clone(kept));
        }
        if kept.is_whole() {
            self.whole = kept.sequence;
            self.snapshot = None;
        }
        if kept.record_ref().is_some() {
            self.head.record = kept.offset;
            Arc::make_mut(&mut self.records).push(Arc::clone(kept));
        }
        if let Some(sequence) = kept.skipped() {
            Arc::make_mut(&mut self.skips).insert(sequence);
        }
    }
}

/// What there was of an entity at one point in time.
pub(super) struct History(Entity);

impl History {
    /// Hands everything over in the order of the contract.
    pub(super) fn replay(&self, replay: &mut dyn Replay) -> Head {
        self.replay_records(replay);
        if let Some(after) = self.offer_snapshot(replay).or_else(|| self.state(replay)) {
            self.replay_events(after, replay);
        }
        self.0.head
    }

    fn replay_records(&self, replay: &mut dyn Replay) {
        let records = self.0.records.iter().rev();
        for record in records.filter_map(|kept| kept.record_ref()) {
            let flow = replay.record(record);
            if flow.is_break() {
                break;
            }
        }
    }

    fn offer_snapshot(&self, replay: &mut dyn Replay) -> Option<SequenceNumber> {
        let (sequence, snapshot) = self.0.snapshot.as_deref()?;
        let accepted = replay.snapshot(SnapshotRef {
            sequence: *sequence,
            shape: snapshot.shape,
            codec: snapshot.codec,
            payload: &snapshot.payload,
        });
        accepted.then_some(*sequence)
    }

    /// Hands over the newest state or deletion, unless an operator has left it out. Answers after
    /// what the events begin; `None` ends the replay.
    fn state(&self, replay: &mut dyn Replay) -> Option<SequenceNumber> {
        let newest = usize::try_from(self.0.whole.get()).unwrap_or(usize::MAX);
        let counts = |kept: &&Arc<Kept>| kept.is_whole() && !self.0.skips.contains(&kept.sequence);
        let whole = self.0.events.iter().take(newest).rfind(counts);
        let Some(state) = whole.and_then(|kept| kept.state_ref()) else {
            return Some(SequenceNumber::ZERO);
        };
        replay.state(state).is_continue().then_some(state.sequence)
    }

    fn replay_events(&self, after: SequenceNumber, replay: &mut dyn Replay) {
        let covered = usize::try_from(after.get()).unwrap_or(usize::MAX);
        let events = self.0.events.iter().skip(covered);
        for kept in events {
            if self.0.skips.contains(&kept.sequence) {
                replay.skipped(kept.sequence);
            } else if let Some(event) = kept.event_ref()
                && replay.event(event).is_break()
            {
                break;
            }
        }
    }
}
