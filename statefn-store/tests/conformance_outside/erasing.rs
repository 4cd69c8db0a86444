//! How the notebook erases the past of an entity that was deleted.

use statefn_store::{EntryBody, PersistenceId, StoredRecord, Timestamp};

use crate::bug::Bug;
use crate::paper::{Line, Paper};

impl Paper {
    /// Leaves markers before the newest deletion. How many entries that changed.
    pub(crate) fn erase(&mut self, id: &PersistenceId, from: Timestamp, bug: Bug) -> u64 {
        let is_deletion = |line: &&Line| matches!(line.entry.body, EntryBody::Deleted { .. });
        let mut own = self.lines.iter().filter(|line| line.entry.id == *id);
        let end = match bug {
            Bug::ErasesWithoutDeletion => own.next_back(),
            _ => own.rfind(is_deletion),
        };
        let Some(end) = end.map(|line| line.entry.offset) else {
            return 0;
        };
        let mut count = 0;
        for line in &mut self.lines {
            let entry = &mut line.entry;
            let is_before = entry.offset < end || bug == Bug::ErasesTheDeletion;
            if entry.id != *id || !is_before || bug == Bug::ErasesNothing {
                continue;
            }
            let record = entry.body.record().cloned();
            if record.is_some() {
                self.had_record.push(entry.offset);
            }
            let kept = record.filter(|record| record.time >= from && bug != Bug::ErasesRecords);
            let record = kept.map(|record| StoredRecord {
                outcome: Vec::new(),
                ..record
            });
            let body = EntryBody::Erased { record };
            count += u64::from(body != entry.body);
            entry.body = body;
            entry.metadata.clear();
            *line = Line::new(entry.clone());
        }
        count
    }
}
