//! What a store streams into a replay, written down.

use std::any::Any;
use std::ops::ControlFlow;

use statefn_store::{
    EventRef, Head, LoadError, NewEvent, NewSnapshot, NewState, Offset, PersistenceId, RecordRef,
    Replay, SequenceNumber, SnapshotRef, StateRef, Store, Timestamp,
};

/// One call of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Record {
        key: String,
        fingerprint: u128,
        time: Timestamp,
        offset: Offset,
    },
    Snapshot {
        sequence: SequenceNumber,
        snapshot: NewSnapshot,
    },
    State {
        offset: Offset,
        sequence: SequenceNumber,
        time: Timestamp,
        metadata: Vec<u8>,
        /// Nothing if it was deleted.
        state: Option<NewState>,
    },
    Event {
        offset: Offset,
        sequence: SequenceNumber,
        time: Timestamp,
        metadata: Vec<u8>,
        event: NewEvent,
    },
    Skipped(SequenceNumber),
}

/// What a replay answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) accepts_snapshot: bool,
    /// Breaks at this record, counted from 1.
    pub(crate) records_max: usize,
    /// Breaks at this state or event, counted from 1.
    pub(crate) events_max: usize,
}

impl Wish {
    /// Everything, without the snapshot and with it.
    pub(crate) const ALL: [Self; 2] = [Self::all(false), Self::all(true)];

    const fn all(accepts_snapshot: bool) -> Self {
        Self {
            accepts_snapshot,
            records_max: usize::MAX,
            events_max: usize::MAX,
        }
    }
}

struct Tape {
    wish: Wish,
    heard: Vec<Heard>,
    records: usize,
    events: usize,
}

/// Loads an entity and writes down what is heard of it.
pub(crate) async fn load(
    store: &dyn Store,
    id: &PersistenceId,
    wish: Wish,
) -> Result<(Head, Vec<Heard>), LoadError> {
    let tape = Tape {
        wish,
        heard: Vec::new(),
        records: 0,
        events: 0,
    };
    let loaded = store.load(id, Box::new(tape)).await?;
    let replay: Box<dyn Any> = loaded.replay;
    Ok((loaded.head, replay.downcast::<Tape>().ok().unwrap().heard))
}

fn until(count: &mut usize, max: usize) -> ControlFlow<()> {
    *count += 1;
    if *count >= max {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

impl Replay for Tape {
    fn snapshot(&mut self, snapshot: SnapshotRef<'_>) -> bool {
        self.heard.push(Heard::Snapshot {
            sequence: snapshot.sequence,
            snapshot: NewSnapshot {
                shape: snapshot.shape,
                codec: snapshot.codec,
                payload: snapshot.payload.to_vec(),
            },
        });
        self.wish.accepts_snapshot
    }

    fn state(&mut self, state: StateRef<'_>) -> ControlFlow<()> {
        self.heard.push(Heard::State {
            offset: state.offset,
            sequence: state.sequence,
            time: state.time,
            metadata: state.metadata.to_vec(),
            state: state.state.map(|state| NewState {
                shape: state.shape,
                version: state.version,
                codec: state.codec,
                payload: state.payload.to_vec(),
            }),
        });
        until(&mut self.events, self.wish.events_max)
    }

    fn event(&mut self, event: EventRef<'_>) -> ControlFlow<()> {
        self.heard.push(Heard::Event {
            offset: event.offset,
            sequence: event.sequence,
            time: event.time,
            metadata: event.metadata.to_vec(),
            event: NewEvent {
                name: event.name.to_owned().into(),
                version: event.version,
                codec: event.codec,
                payload: event.payload.to_vec(),
            },
        });
        until(&mut self.events, self.wish.events_max)
    }

    fn skipped(&mut self, sequence: SequenceNumber) {
        self.heard.push(Heard::Skipped(sequence));
    }

    fn record(&mut self, record: RecordRef<'_>) -> ControlFlow<()> {
        self.heard.push(Heard::Record {
            key: record.key.to_owned(),
            fingerprint: record.fingerprint,
            time: record.time,
            offset: record.offset,
        });
        until(&mut self.records, self.wish.records_max)
    }
}
