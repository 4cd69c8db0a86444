//! A replay that ends at the first damaged event.

use std::any::Any;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::{
    EventRef, LoadError, Loaded, Offset, RecordRef, Replay, SequenceNumber, SnapshotRef, StateRef,
};

/// Stands between a store and a replay, and hides what the script calls damaged.
pub(super) struct Cut {
    inner: Box<dyn Replay>,
    damaged: BTreeSet<SequenceNumber>,
    hide_snapshots: bool,
    hit: Option<(Offset, SequenceNumber)>,
}

impl Cut {
    pub(super) fn new(
        inner: Box<dyn Replay>,
        damaged: BTreeSet<SequenceNumber>,
        hide_snapshots: bool,
    ) -> Self {
        Self {
            inner,
            damaged,
            hide_snapshots,
            hit: None,
        }
    }

    /// The load as the caller sees it, with its own replay in it again.
    pub(super) fn finish(loaded: Loaded) -> Result<Loaded, LoadError> {
        let Loaded { head, replay } = loaded;
        let replay: Box<dyn Any> = replay;
        // A store that returns another replay than its own breaks the contract; a test must see it.
        let Ok(cut) = replay.downcast::<Self>() else {
            panic!("the store returned another replay than it was given");
        };
        if let Some((offset, sequence)) = cut.hit {
            return Err(damage_at(offset, sequence));
        }
        Ok(Loaded {
            head,
            replay: cut.inner,
        })
    }
}

pub(super) fn damage_at(offset: Offset, sequence: SequenceNumber) -> LoadError {
    LoadError::Corrupt {
        offset,
        sequence,
        what: "planted damage".to_owned(),
    }
}

impl Replay for Cut {
    fn snapshot(&mut self, snapshot: SnapshotRef<'_>) -> bool {
        !self.hide_snapshots && self.inner.snapshot(snapshot)
    }

    fn state(&mut self, state: StateRef<'_>) -> ControlFlow<()> {
        if self.damaged.contains(&state.sequence) {
            self.hit = Some((state.offset, state.sequence));
            return ControlFlow::Break(());
        }
        self.inner.state(state)
    }

    fn event(&mut self, event: EventRef<'_>) -> ControlFlow<()> {
        if self.damaged.contains(&event.sequence) {
            self.hit = Some((event.offset, event.sequence));
            return ControlFlow::Break(());
        }
        self.inner.event(event)
    }

    fn skipped(&mut self, sequence: SequenceNumber) {
        self.inner.skipped(sequence);
    }

    fn record(&mut self, record: RecordRef<'_>) -> ControlFlow<()> {
        self.inner.record(record)
    }
}
