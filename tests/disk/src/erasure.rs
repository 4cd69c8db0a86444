//! What erasures make of entries.

use statefn_store::{Entry, EntryBody, PersistenceId, Timestamp};

use crate::ledger::Marks;

/// An erasure that was asked for.
#[derive(Clone, Debug)]
pub struct Erasure {
    /// When.
    pub marks: Marks,
    id: PersistenceId,
    records_from: Timestamp,
    /// Entries of the store up to the entity's newest deletion.
    until: usize,
}

impl Erasure {
    /// What it does to a store with these entries; nothing where nothing was deleted.
    pub fn new(
        entries: &[Entry],
        id: &PersistenceId,
        records_from: Timestamp,
        marks: Marks,
    ) -> Self {
        let is_deletion =
            |entry: &Entry| entry.id == *id && matches!(entry.body, EntryBody::Deleted { .. });
        Self {
            marks,
            id: id.clone(),
            records_from,
            until: entries.iter().rposition(is_deletion).unwrap_or(0),
        }
    }

    /// Whether it changes the entry at `index`, or leaves it as an earlier one has made it.
    pub fn covers(&self, index: usize, entry: &Entry) -> bool {
        index < self.until && entry.id == self.id
    }

    /// The entry at `index` when this is done.
    #[must_use]
    pub fn of(&self, index: usize, entry: Entry) -> Entry {
        if !self.covers(index, &entry) {
            return entry;
        }
        let mut record = entry.body.record().cloned();
        if let Some(record) = &mut record {
            record.outcome.clear();
        }
        let record = record.filter(|record| record.time >= self.records_from);
        Entry {
            metadata: Vec::new(),
            body: EntryBody::Erased { record },
            ..entry
        }
    }
}
