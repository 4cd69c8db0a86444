//! What a load tells of an entity, and what it must tell.

use std::ops::ControlFlow;

use statefn_store::{
    Entry, EntryBody, EventRef, NewSnapshot, Offset, PersistenceId, RecordRef, Replay,
    SequenceNumber, SnapshotRef, StateRef,
};

use crate::ledger::whole;

/// What a load tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    take_snapshot: bool,
    snapshot: Option<(SequenceNumber, Vec<u8>)>,
    /// A state, or a deletion.
    whole: Option<(SequenceNumber, Offset, Option<Vec<u8>>)>,
    events: Vec<(SequenceNumber, Offset, Option<Vec<u8>>)>,
    records: Vec<(String, Offset)>,
}

impl Seen {
    /// Has seen nothing yet, and takes a snapshot or not.
    pub fn new(take_snapshot: bool) -> Self {
        Self {
            take_snapshot,
            ..Self::default()
        }
    }
}

impl Replay for Seen {
    fn snapshot(&mut self, snapshot: SnapshotRef<'_>) -> bool {
        self.snapshot = Some((snapshot.sequence, snapshot.payload.to_vec()));
        self.take_snapshot
    }

    fn state(&mut self, state: StateRef<'_>) -> ControlFlow<()> {
        let payload = state.state.map(|state| state.payload.to_vec());
        self.whole = Some((state.sequence, state.offset, payload));
        ControlFlow::Continue(())
    }

    fn event(&mut self, event: EventRef<'_>) -> ControlFlow<()> {
        let payload = Some(event.payload.to_vec());
        self.events.push((event.sequence, event.offset, payload));
        ControlFlow::Continue(())
    }

    fn skipped(&mut self, sequence: SequenceNumber) {
        self.events.push((sequence, Offset::ZERO, None));
    }

    fn record(&mut self, record: RecordRef<'_>) -> ControlFlow<()> {
        self.records.push((record.key.to_owned(), record.offset));
        ControlFlow::Continue(())
    }
}

/// What a load of an entity must tell.
pub fn expected(
    entries: &[Entry],
    id: &PersistenceId,
    snapshot: Option<(SequenceNumber, &NewSnapshot)>,
    take_snapshot: bool,
) -> Seen {
    let mut after = match snapshot {
        Some((sequence, _)) if take_snapshot => sequence,
        _ => SequenceNumber::ZERO,
    };
    let mut seen = Seen {
        take_snapshot,
        snapshot: snapshot.map(|(sequence, snapshot)| (sequence, snapshot.payload.clone())),
        ..Seen::default()
    };
    if let Some(entry) = whole(entries, id)
        && entry.sequence > after
    {
        let payload = match &entry.body {
            EntryBody::State { state, .. } => Some(state.payload.clone()),
            _ => None,
        };
        after = entry.sequence;
        seen.whole = Some((after, entry.offset, payload));
    }
    let mut skipped = Vec::new();
    for entry in entries.iter().filter(|entry| entry.id == *id) {
        if let Some(record) = entry.body.record() {
            seen.records.insert(0, (record.key.clone(), entry.offset));
        }
        match &entry.body {
            EntryBody::Event { event, .. } if entry.sequence > after => {
                let payload = Some(event.payload.clone());
                seen.events.push((entry.sequence, entry.offset, payload));
            }
            // Only one that an operator has left out comes after the newest.
            EntryBody::State { .. } | EntryBody::Deleted { .. } if entry.sequence > after => {
                seen.events.push((entry.sequence, Offset::ZERO, None));
            }
            EntryBody::Skip { sequence, .. } => skipped.push(*sequence),
            _ => {}
        }
    }
    for event in &mut seen.events {
        if skipped.contains(&event.0) {
            *event = (event.0, Offset::ZERO, None);
        }
    }
    seen
}
