//! The rows that a projection is working on: read ones, changed ones, and those it still asks for.

use std::collections::{BTreeMap, HashMap};

use statefn_store::{IndexValue, NewRow, RowChange};

/// A row: which of the projection's views, and its key.
pub(crate) type RowKey = (u16, Vec<u8>);

/// Read rows are forgotten when they take more than this.
const KNOWN_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What one entry is about to do to a row.
#[derive(Clone, Debug)]
pub(crate) struct Put {
    pub(crate) payload: Vec<u8>,
    pub(crate) indexed: Vec<(&'static str, Vec<u8>)>,
}

/// Rows between the store and the handlers.
///
/// A handler that asks for a row which is not here is run again once it is: so handlers never wait,
/// and no store has to answer at once.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// What rows hold after all entries so far; `None`: there is no such row.
    known: HashMap<RowKey, Option<Vec<u8>>>,
    known_bytes: usize,
    /// What the entries since the last commit did.
    changed: BTreeMap<RowKey, Option<Put>>,
    changed_bytes: usize,
    /// What the entry under way does.
    staged: Vec<(RowKey, Option<Put>)>,
    /// What it has asked for in vain.
    missing: Vec<RowKey>,
}

impl Rows {
    /// What a row holds now. The error: nobody knows yet.
    pub(crate) fn get(&mut self, row: RowKey) -> Result<Option<&[u8]>, ()> {
        if let Some(at) = self.staged.iter().rposition(|(staged, _)| *staged == row) {
            let put = self.staged.get(at).and_then(|(_, put)| put.as_ref());
            return Ok(put.map(|put| put.payload.as_slice()));
        }
        if !self.known.contains_key(&row) && !planted!(UnreadRowsAreAbsent) {
            self.missing.push(row);
            return Err(());
        }
        Ok(self.known.get(&row).and_then(|held| held.as_deref()))
    }

    /// Changes a row, if the entry under way goes through.
    pub(crate) fn stage(&mut self, row: RowKey, put: Option<Put>) {
        self.staged.push((row, put));
    }

    /// The entry under way has gone through.
    pub(crate) fn accept(&mut self) {
        for (row, put) in std::mem::take(&mut self.staged) {
            let payload = put.as_ref().map(|put| put.payload.clone());
            self.changed_bytes += row.1.len() + payload.as_ref().map_or(0, Vec::len);
            self.learn(row.clone(), payload);
            self.changed.insert(row, put);
        }
        self.missing.clear();
    }

    /// The entry under way has not gone through, or only wanted to know what it needs: those rows.
    pub(crate) fn reject(&mut self) -> Vec<RowKey> {
        if planted!(FailedRowsStay) && self.missing.is_empty() {
            self.accept();
        }
        self.staged.clear();
        std::mem::take(&mut self.missing)
    }

    /// Whether the entry under way has asked for rows that are not here.
    pub(crate) fn is_missing(&self) -> bool {
        !self.missing.is_empty()
    }

    /// What the store holds of a row.
    pub(crate) fn learn(&mut self, row: RowKey, payload: Option<Vec<u8>>) {
        self.known_bytes += row.1.len() + payload.as_ref().map_or(0, Vec::len) + 64;
        self.known.insert(row, payload);
    }

    /// Bytes of rows changed since the last commit, about.
    pub(crate) fn changed_bytes(&self) -> usize {
        self.changed_bytes
    }

    /// The changes since the last commit, in the order of keys, for a store that calls views so.
    pub(crate) fn changes(&self, views: &[&'static str]) -> Vec<RowChange> {
        let change = |((view, key), put): (&RowKey, &Option<Put>)| {
            let view = views.get(usize::from(*view)).copied().unwrap_or_default();
            let row = put.as_ref().map(|put| NewRow {
                payload: put.payload.clone(),
                indexed: indexed(put),
            });
            RowChange {
                view: view.to_owned(),
                key: key.clone(),
                row,
            }
        };
        self.changed.iter().map(change).collect()
    }

    /// The changes are on stable storage.
    pub(crate) fn committed(&mut self) {
        self.changed.clear();
        self.changed_bytes = 0;
        if self.known_bytes > KNOWN_BYTES_MAX {
            self.known.clear();
            self.known_bytes = 0;
        }
    }

    /// Forgets everything: the store may be elsewhere.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

fn indexed(put: &Put) -> Vec<IndexValue> {
    let values = put.indexed.iter().map(|(index, value)| IndexValue {
        index: (*index).to_owned(),
        value: value.clone(),
    });
    values.collect()
}
