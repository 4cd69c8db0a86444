//! Telling a page of entries to handlers: decides, and waits for nothing.

use statefn_store::Entry;

use crate::projection::definition::ProjectionDefinition;
use crate::projection::rows::{RowKey, Rows};
use crate::runtime::isolate::isolate;

/// A commit takes so many bytes of rows, about.
const COMMIT_BYTES: usize = 4 * 1024 * 1024;

/// When a row is missing, so many entries are asked what they need.
const LOOK_AHEAD: usize = 256;

/// So often a handler may ask for further rows.
const ROUNDS_MAX: u32 = 1_000;

/// A page of entries, and how far it has been told.
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    /// So many entries have been told.
    pub(crate) told: usize,
    /// So many of those were heard by a handler.
    pub(crate) heard: u64,
    /// How often the next one has asked for rows.
    rounds: u32,
}

/// Why the telling has ended.
pub(crate) enum Pause {
    /// All has been told, or enough for one commit.
    Enough,
    /// These rows are needed to go on.
    Needs(Vec<RowKey>),
    /// The next entry cannot be told.
    Failed {
        reason: String,
        /// Whether another attempt could end otherwise.
        is_final: bool,
    },
}

impl Page {
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        Self {
            entries,
            told: 0,
            heard: 0,
            rounds: 0,
        }
    }

    /// The last entry that has been told.
    pub(crate) fn last_told(&self) -> Option<&Entry> {
        self.entries.get(self.told.checked_sub(1)?)
    }

    /// The next entry to be told.
    pub(crate) fn next(&self) -> Option<&Entry> {
        self.entries.get(self.told)
    }

    /// Goes on telling.
    pub(crate) fn tell(&mut self, to: &dyn ProjectionDefinition, rows: &mut Rows) -> Pause {
        while let Some(entry) = self.entries.get(self.told) {
            if rows.changed_bytes() >= COMMIT_BYTES {
                return Pause::Enough;
            }
            if !to.hears(entry.id.entity_type().as_str()) {
                self.told += 1;
                continue;
            }
            let told = isolate(|| to.tell(entry, rows));
            if rows.is_missing() {
                // Whatever the handler made of it: it did not have what it asked for.
                self.rounds += 1;
                if self.rounds > ROUNDS_MAX {
                    rows.reject();
                    let reason = "the handler asks for other rows each time it runs".to_owned();
                    let is_final = true;
                    return Pause::Failed { reason, is_final };
                }
                return Pause::Needs(self.needs(to, rows));
            }
            let failed = match told {
                Ok(Ok(())) => None,
                Ok(Err(untold)) => Some((untold.reason, untold.is_final)),
                Err(panic) => Some((format!("the handler panicked: {panic}"), false)),
            };
            if let Some((reason, is_final)) = failed {
                rows.reject();
                if planted!(FailedEntryPassed) {
                    self.told += 1;
                    continue;
                }
                return Pause::Failed { reason, is_final };
            }
            rows.accept();
            self.told += 1;
            self.heard += 1;
            self.rounds = 0;
        }
        Pause::Enough
    }

    /// What the next entries ask for first: one question to the store answers many of them.
    fn needs(&self, to: &dyn ProjectionDefinition, rows: &mut Rows) -> Vec<RowKey> {
        let mut needs = rows.reject();
        let ahead = self.entries.iter().skip(self.told + 1);
        for entry in ahead.take(LOOK_AHEAD) {
            if to.hears(entry.id.entity_type().as_str()) {
                // What it makes of it is thrown away.
                let _ = isolate(|| to.tell(entry, rows).is_ok());
                needs.extend(rows.reject());
            }
        }
        needs.sort_unstable();
        needs.dedup();
        needs
    }
}
