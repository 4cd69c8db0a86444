//! The journal in memory: entries in commit order, and per entity where its own lie.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry as MapEntry;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use super::kept::Kept;
use super::prepared::Prepared;
use crate::{
    EntityType, Entry, Head, IdMap, NewSnapshot, Offset, Outcome, PersistenceId, Refusal, Replay,
    SequenceNumber, SnapshotRef, StoreReport, StoredRecord,
};

/// All entries of a store.
#[derive(Default)]
pub(super) struct Journal {
    /// Entry `n` has offset `n + 1`.
    entries: Vec<Arc<Kept>>,
    entities: IdMap<Entity>,
    /// The keys of `entities` in order: a page of them must not sort all.
    ids: BTreeSet<PersistenceId>,
}

/// What is known of one entity. A load takes it by cloning pointers, whatever its length; a commit
/// copies a list only while a load still holds it.
#[derive(Clone, Default)]
struct Entity {
    head: Head,
    /// Its events, in order: the one with sequence number `n` lies at `n - 1`.
    events: Arc<Vec<Arc<Kept>>>,
    /// Its entries with an idempotency record, in order.
    records: Arc<Vec<Arc<Kept>>>,
    skips: Arc<BTreeSet<SequenceNumber>>,
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
        } = self;
        let Prepared {
            id,
            expected,
            kept,
            snapshot,
        } = prepared;
        let head = entities.get(&id).map(|e| e.head).unwrap_or_default();
        if head.sequence != expected {
            return Outcome::Refused(Refusal::Stale {
                expected,
                actual: head.sequence,
            });
        }
        if kept.is_empty() {
            let position = head.position;
            return Outcome::Committed { position };
        }
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
        Outcome::Committed { position }
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
        if kept.is_event() {
            Arc::make_mut(&mut self.events).push(Arc::clone(kept));
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
        let after = self.offer_snapshot(replay);
        self.replay_events(after, replay);
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

    fn offer_snapshot(&self, replay: &mut dyn Replay) -> SequenceNumber {
        let Some((sequence, snapshot)) = self.0.snapshot.as_deref() else {
            return SequenceNumber::ZERO;
        };
        let accepted = replay.snapshot(SnapshotRef {
            sequence: *sequence,
            shape: snapshot.shape,
            codec: snapshot.codec,
            payload: &snapshot.payload,
        });
        if accepted {
            *sequence
        } else {
            SequenceNumber::ZERO
        }
    }

    fn replay_events(&self, after: SequenceNumber, replay: &mut dyn Replay) {
        let covered = usize::try_from(after.get()).unwrap_or(usize::MAX);
        let events = self.0.events.iter().skip(covered);
        for event in events.filter_map(|kept| kept.event_ref()) {
            if self.0.skips.contains(&event.sequence) {
                replay.skipped(event.sequence);
                continue;
            }
            let flow = replay.event(event);
            if flow == ControlFlow::Break(()) {
                break;
            }
        }
    }
}
