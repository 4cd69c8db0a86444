//! A replay that writes down every call, and stops where it is told to.

use std::any::Any;
use std::ops::ControlFlow;

use crate::{
    EventRef, Loaded, NewSnapshot, NewState, Offset, RecordRef, Replay, SequenceNumber,
    SnapshotRef, StateRef, Timestamp,
};

/// One call of a [`Replay`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
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
    State(HeardState),
    Event(HeardEvent),
    Skipped(SequenceNumber),
}

/// A whole state or a deletion as a replay hears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeardState {
    pub(super) offset: Offset,
    pub(super) sequence: SequenceNumber,
    pub(super) time: Timestamp,
    pub(super) metadata: Vec<u8>,
    pub(super) state: Option<NewState>,
}

/// An event as a replay hears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeardEvent {
    pub(super) offset: Offset,
    pub(super) sequence: SequenceNumber,
    pub(super) time: Timestamp,
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) codec: u8,
    pub(super) metadata: Vec<u8>,
    pub(super) payload: Vec<u8>,
}

/// What a replay answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) accept_snapshot: bool,
    /// Breaks at this record, counted from 1.
    pub(super) records_max: usize,
    /// Breaks at this state or event, counted from 1.
    pub(super) events_max: usize,
}

impl Wish {
    /// Everything, the snapshot first.
    pub(super) const ALL: Self = Self {
        accept_snapshot: true,
        records_max: usize::MAX,
        events_max: usize::MAX,
    };

    /// Everything, without the snapshot.
    pub(super) const ALL_EVENTS: Self = Self {
        accept_snapshot: false,
        ..Self::ALL
    };
}

/// Writes down what a store streams.
pub(super) struct Tape {
    wish: Wish,
    heard: Vec<Heard>,
    records: usize,
    events: usize,
}

impl Tape {
    pub(super) fn boxed(wish: Wish) -> Box<dyn Replay> {
        Box::new(Self {
            wish,
            heard: Vec::new(),
            records: 0,
            events: 0,
        })
    }

    /// What was heard, if the store returned the replay that it was given.
    pub(super) fn of(loaded: Loaded) -> Vec<Heard> {
        let replay: Box<dyn Any> = loaded.replay;
        let tape = replay.downcast::<Self>();
        let Ok(tape) = tape else {
            panic!("the store returned another replay than it was given");
        };
        tape.heard
    }
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
        self.wish.accept_snapshot
    }

    fn state(&mut self, state: StateRef<'_>) -> ControlFlow<()> {
        self.heard.push(Heard::State(HeardState {
            offset: state.offset,
            sequence: state.sequence,
            time: state.time,
            metadata: state.metadata.to_vec(),
            state: state.state.map(crate::StateBytes::to_owned),
        }));
        until(&mut self.events, self.wish.events_max)
    }

    fn event(&mut self, event: EventRef<'_>) -> ControlFlow<()> {
        self.heard.push(Heard::Event(HeardEvent {
            offset: event.offset,
            sequence: event.sequence,
            time: event.time,
            name: event.name.to_owned(),
            version: event.version,
            codec: event.codec,
            metadata: event.metadata.to_vec(),
            payload: event.payload.to_vec(),
        }));
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
