//! What a store was asked, what it answered and when: the truth that a recovered store is held
//! against.

use std::collections::BTreeMap;

use statefn_store::{
    Entry, EntryBody, Head, Member, NewSnapshot, Offset, PersistenceId, SequenceNumber,
    StateChange, StoredRecord, Timestamp,
};

/// One request that changes the store, as the trace of the disk saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Operations of the disk before it was sent.
    pub sent: usize,
    /// Operations of the disk before it was acknowledged.
    pub acknowledged: Option<usize>,
}

/// A batch that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// When.
    pub marks: Marks,
    /// The last offset of the store with it.
    pub end: usize,
}

/// A claim of ownership that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// When.
    pub marks: Marks,
    /// The epoch that it made; 0 when it failed, and nobody knows.
    pub epoch: u64,
}

/// A snapshot that a batch brought.
#[derive(Clone, Debug)]
struct Taken {
    /// Batches before it.
    batch: usize,
    id: PersistenceId,
    sequence: SequenceNumber,
    snapshot: NewSnapshot,
}

/// The whole history of a store: batches are in the order of their commits.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Every entry, the one with offset 1 first.
    pub entries: Vec<Entry>,
    /// Every batch.
    pub batches: Vec<Sent>,
    /// Every claim of ownership.
    pub claims: Vec<Claim>,
    snapshots: Vec<Taken>,
}

/// What a power cut at one moment may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Batches that must be there, and those that may.
    pub batches: (usize, usize),
    /// The newest epoch that must be there, and that may.
    pub claims: (u64, u64),
}

impl Ledger {
    /// Writes down a batch whose members all fit.
    pub fn write(&mut self, members: &[Member], marks: Marks) {
        for member in members {
            self.member(member);
        }
        let end = self.entries.len();
        self.batches.push(Sent { marks, end });
    }

    fn member(&mut self, member: &Member) {
        let mut sequence = member.expected;
        let mut record = member.record.as_ref();
        for (index, event) in member.events.iter().enumerate() {
            sequence = sequence.next();
            let last = index + 1 == member.events.len() && member.state.is_none();
            let record = record
                .take_if(|_| last)
                .map(|record| self.record(record, member.time));
            let event = event.clone();
            self.entry(member, sequence, EntryBody::Event { event, record });
        }
        if let Some(change) = member.state.as_deref() {
            sequence = sequence.next();
            let record = record.take().map(|record| self.record(record, member.time));
            let body = match change.clone() {
                StateChange::Put(state) => EntryBody::State { state, record },
                StateChange::Delete => EntryBody::Deleted { record },
            };
            self.entry(member, sequence, body);
        }
        if let Some(snapshot) = &member.snapshot {
            self.snapshots.push(Taken {
                batch: self.batches.len(),
                id: member.id.clone(),
                sequence,
                snapshot: snapshot.clone(),
            });
        }
        if let Some(record) = record {
            let record = self.record(record, member.time);
            self.entry(member, sequence, EntryBody::Record(record));
        }
        if let Some(skip) = &member.skip {
            let body = EntryBody::Skip {
                sequence: skip.sequence,
                reason: skip.reason.clone(),
            };
            self.entry(member, sequence, body);
        }
    }

    fn record(&self, record: &statefn_store::NewRecord, time: Timestamp) -> StoredRecord {
        StoredRecord {
            key: record.key.clone(),
            fingerprint: record.fingerprint,
            outcome: record.outcome.clone(),
            time,
            offset: self.next_offset(),
        }
    }

    fn entry(&mut self, member: &Member, sequence: SequenceNumber, body: EntryBody) {
        self.entries.push(Entry {
            offset: self.next_offset(),
            id: member.id.clone(),
            sequence,
            time: member.time,
            metadata: member.metadata.clone(),
            body,
        });
    }

    fn next_offset(&self) -> Offset {
        Offset::new(self.entries.len() as u64 + 1)
    }

    /// Entries of the first `batches`.
    pub fn end(&self, batches: usize) -> usize {
        batches
            .checked_sub(1)
            .map_or(0, |last| self.batches[last].end)
    }

    /// How many batches make this many entries; `None` inside a batch.
    pub fn batches_with(&self, entries: usize, at_most: usize) -> Option<usize> {
        // A batch that wrote nothing has the same end as the one before: the later one counts.
        (0..=at_most)
            .rev()
            .find(|batches| self.end(*batches) == entries)
    }

    /// What must and what may be there after this many operations of the disk.
    pub fn bounds(&self, done: usize) -> Bounds {
        let heard = |marks: &Marks| marks.acknowledged.is_some_and(|at| at <= done);
        let sent = |marks: &Marks| marks.sent <= done;
        let batches = || self.batches.iter().map(|batch| batch.marks);
        let claims = || self.claims.iter().filter(|claim| sent(&claim.marks));
        let epochs = claims().filter(|claim| heard(&claim.marks));
        Bounds {
            batches: (
                batches()
                    .rposition(|marks| heard(&marks))
                    .map_or(0, |last| last + 1),
                batches()
                    .rposition(|marks| sent(&marks))
                    .map_or(0, |last| last + 1),
            ),
            claims: (
                epochs.map(|claim| claim.epoch).max().unwrap_or(0),
                claims().count() as u64,
            ),
        }
    }

    /// Where every entity of the first `batches` stands.
    pub fn heads(&self, batches: usize) -> BTreeMap<&PersistenceId, Head> {
        let mut heads: BTreeMap<&PersistenceId, Head> = BTreeMap::new();
        for entry in &self.entries[..self.end(batches)] {
            let head = heads.entry(&entry.id).or_default();
            head.sequence = entry.sequence;
            head.position = entry.offset;
            if entry.body.record().is_some() {
                head.record = entry.offset;
            }
        }
        heads
    }

    /// The newest state or deletion of an entity in the first `batches` that no skip leaves out.
    pub fn whole(&self, id: &PersistenceId, batches: usize) -> Option<&Entry> {
        let entries = &self.entries[..self.end(batches)];
        let own = || entries.iter().filter(|entry| entry.id == *id);
        let is_skipped = |at: SequenceNumber| {
            own().any(|e| matches!(e.body, EntryBody::Skip { sequence, .. } if sequence == at))
        };
        own().rfind(|entry| is_whole(entry) && !is_skipped(entry.sequence))
    }

    /// The newest snapshot of an entity in the first `batches`, if no state or deletion is newer.
    pub fn snapshot(
        &self,
        id: &PersistenceId,
        batches: usize,
    ) -> Option<(SequenceNumber, &NewSnapshot)> {
        let taken = self.snapshots.iter().rev();
        let mut of = taken.filter(|taken| taken.batch < batches && taken.id == *id);
        let mut entries = self.entries[..self.end(batches)].iter();
        let newest = entries.rfind(|entry| entry.id == *id && is_whole(entry));
        let newest = newest.map_or(SequenceNumber::ZERO, |entry| entry.sequence);
        let current = of.next().filter(|taken| taken.sequence > newest);
        current.map(|taken| (taken.sequence, &taken.snapshot))
    }
}

fn is_whole(entry: &Entry) -> bool {
    matches!(
        entry.body,
        EntryBody::State { .. } | EntryBody::Deleted { .. }
    )
}
