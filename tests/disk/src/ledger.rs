//! What a store was asked, what it answered and when: the truth that a recovered store is held
//! against.

use std::collections::BTreeMap;

use statefn_store::{
    Entry, EntryBody, Head, Member, NewSnapshot, Offset, PersistenceId, SequenceNumber,
    StateChange, StoredCalls, StoredRecord, Tending, Timestamp,
};

use crate::erasure::Erasure;
use crate::waiting::Waiting;

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
    /// Every entry, the one with offset 1 first, as it was before it was erased.
    pub entries: Vec<Entry>,
    /// Every batch, and every change of stored calls outside one.
    pub batches: Vec<Sent>,
    /// Every erasure.
    pub erasures: Vec<Erasure>,
    /// The stored calls after each batch.
    calls: Vec<(StoredCalls, Waiting)>,
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
    /// Erasures that must be done, and those that may, also in part.
    pub erasures: (usize, usize),
}

impl Ledger {
    /// Writes down a batch whose members all fit.
    pub fn write(&mut self, members: &[Member], marks: Marks) {
        let mut calls = self.calls(self.batches.len());
        for member in members {
            self.member(member);
            if let Some(deferred) = member.deferred.as_deref() {
                let position = Offset::new(self.entries.len() as u64);
                calls.append(deferred.clone(), &member.id, member.time, position);
            }
        }
        self.sent(calls, marks);
    }

    /// Writes down changes of stored calls, and answers what the store must have answered.
    pub fn tend(&mut self, changes: &[Tending], marks: Marks) -> Vec<bool> {
        let mut calls = self.calls(self.batches.len());
        let done = changes.iter().map(|change| calls.tend(change.clone()));
        let done = done.collect();
        self.sent(calls, marks);
        done
    }

    fn sent(&mut self, calls: StoredCalls, marks: Marks) {
        let end = self.entries.len();
        self.batches.push(Sent { marks, end });
        let waiting = Waiting::of(&calls);
        self.calls.push((calls, waiting));
    }

    /// Writes down an erasure, and answers how many entries it changes.
    pub fn erase(&mut self, id: &PersistenceId, records_from: Timestamp, marks: Marks) -> u64 {
        let before = self.now();
        let erasure = Erasure::new(&self.entries, id, records_from, marks);
        self.erasures.push(erasure);
        let changed = before.iter().zip(self.now());
        changed.filter(|(before, now)| *before != now).count() as u64
    }

    /// The entry at `index` after so many erasures.
    pub fn entry_after(&self, index: usize, erasures: usize) -> Option<Entry> {
        let entry = self.entries.get(index)?.clone();
        let erased = self.erasures.iter().take(erasures);
        Some(erased.fold(entry, |entry, erasure| erasure.of(index, entry)))
    }

    /// Whether a store whose first erasures are done has this entry at `index`.
    pub fn is_after(&self, index: usize, erasures: usize, found: &Entry) -> bool {
        let Some(entry) = self.entries.get(index) else {
            return false;
        };
        let mut erased = self.erasures.iter().take(erasures);
        if erased.any(|erasure| erasure.covers(index, entry)) {
            return self.entry_after(index, erasures).as_ref() == Some(found);
        }
        entry == found
    }

    /// Every entry as it is now.
    pub fn now(&self) -> Vec<Entry> {
        let all = self.erasures.len();
        let entries = (0..self.entries.len()).filter_map(|index| self.entry_after(index, all));
        entries.collect()
    }

    /// The stored calls after the first `batches`.
    pub fn calls(&self, batches: usize) -> StoredCalls {
        let calls = batches.checked_sub(1).and_then(|last| self.calls.get(last));
        calls.map(|(calls, _)| calls.clone()).unwrap_or_default()
    }

    /// Whether these calls wait after the first `batches`.
    pub fn waits(&self, batches: usize, found: &Waiting) -> bool {
        let calls = batches.checked_sub(1).and_then(|last| self.calls.get(last));
        calls.map_or_else(
            || *found == Waiting::default(),
            |(_, waiting)| waiting == found,
        )
    }

    fn member(&mut self, member: &Member) {
        let begin = self.entries.len();
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
        let sends = member.deferred.as_ref().is_some_and(|calls| calls.sends());
        if sends && self.entries.len() == begin {
            self.entry(member, sequence, EntryBody::Sent);
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

    /// The numbers of batches that make this many entries, the largest first; none inside a batch. A
    /// batch that wrote no entry has the same end as the one before.
    pub fn batches_with(&self, entries: usize, at_most: usize) -> impl Iterator<Item = usize> {
        (0..=at_most)
            .rev()
            .filter(move |batches| self.end(*batches) == entries)
    }

    /// What must and what may be there after this many operations of the disk.
    pub fn bounds(&self, done: usize) -> Bounds {
        let heard = |marks: &Marks| marks.acknowledged.is_some_and(|at| at <= done);
        let sent = |marks: &Marks| marks.sent <= done;
        let batches = || self.batches.iter().map(|batch| batch.marks);
        let erasures = || self.erasures.iter().map(|erasure| erasure.marks);
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
            erasures: (
                erasures().take_while(heard).count(),
                erasures().take_while(sent).count(),
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

/// The newest state or deletion of an entity that no skip leaves out.
pub fn whole<'e>(entries: &'e [Entry], id: &PersistenceId) -> Option<&'e Entry> {
    let own = || entries.iter().filter(|entry| entry.id == *id);
    let is_skipped = |at: SequenceNumber| {
        own().any(|e| matches!(e.body, EntryBody::Skip { sequence, .. } if sequence == at))
    };
    own().rfind(|entry| is_whole(entry) && !is_skipped(entry.sequence))
}

fn is_whole(entry: &Entry) -> bool {
    matches!(
        entry.body,
        EntryBody::State { .. } | EntryBody::Deleted { .. }
    )
}
