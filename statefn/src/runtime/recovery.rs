//! Recovery: a snapshot and the events after it become a state in memory.

use std::any::Any;
use std::ops::ControlFlow;

use statefn_store::{
    EventRef, Loaded, RecordRef, Replay, SequenceNumber, SnapshotRef, StateRef, Timestamp,
};

use crate::codec::Codec;
use crate::entity::Behavior;
use crate::event;
use crate::runtime::isolate::isolate;
use crate::runtime::keys::Keys;
use crate::runtime::resident::Resident;
use crate::runtime::whole_state;

/// What a recovery brings into memory.
pub(crate) struct Recovered {
    pub(super) state: Box<dyn Any + Send>,
    pub(super) sequence: SequenceNumber,
    pub(super) keys: Option<Box<Keys>>,
    pub(super) snapshot: SnapshotUse,
}

/// What a recovery did with the stored snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SnapshotUse {
    /// There was none.
    None,
    /// It is part of the state.
    Taken,
    /// It was written by code of another shape; all events were replayed.
    Outdated,
    /// Its bytes do not decode; all events were replayed.
    Unreadable,
}

/// Why stored events did not become a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unrecoverable {
    pub(crate) sequence: SequenceNumber,
    pub(crate) reason: String,
}

/// What a recovery needs to know besides the entity type.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RecoverySettings {
    /// Hash of the state's shape over its codec; a snapshot with another one is dropped.
    pub(crate) shape: u128,
    /// Keys written before this instant have expired.
    pub(crate) cutoff: Timestamp,
    /// How many keys are kept in memory.
    pub(crate) keys_max: usize,
    /// For a check: leave the snapshot aside, and replay events up to here only.
    pub(crate) from_events_to: Option<SequenceNumber>,
}

/// Folds what a store streams into a state of `E`.
struct Recovery<E: Behavior> {
    settings: RecoverySettings,
    entity: Resident<E>,
    sequence: SequenceNumber,
    keys: Option<Box<Keys>>,
    snapshot: SnapshotUse,
    failure: Option<Unrecoverable>,
}

/// A recovery of `E`, to be handed to a store.
pub(crate) fn begin<E: Behavior>(settings: RecoverySettings) -> Box<dyn Replay> {
    Box::new(Recovery {
        settings,
        entity: Resident::new(E::default()),
        sequence: SequenceNumber::ZERO,
        keys: None,
        snapshot: SnapshotUse::None,
        failure: None,
    })
}

/// What the recovery of `E` that the store has filled came to.
pub(crate) fn finish<E: Behavior>(loaded: Loaded) -> Result<Recovered, Unrecoverable> {
    let replay: Box<dyn Any> = loaded.replay;
    let Ok(recovery) = replay.downcast::<Recovery<E>>() else {
        let reason = "the store returned another replay than it was given".to_owned();
        return Err(Unrecoverable {
            sequence: SequenceNumber::ZERO,
            reason,
        });
    };
    let Recovery {
        settings,
        entity,
        sequence,
        keys,
        snapshot,
        failure,
    } = *recovery;
    if let Some(failure) = failure {
        return Err(failure);
    }
    let end = settings.from_events_to.unwrap_or(loaded.head.sequence);
    if sequence != end {
        let reason = format!("the store replayed up to {sequence}, but its journal ends at {end}");
        return Err(Unrecoverable {
            sequence: sequence.next(),
            reason,
        });
    }
    Ok(Recovered {
        state: Box::new(entity),
        sequence,
        keys,
        snapshot,
    })
}

impl<E: Behavior> Recovery<E> {
    fn apply(&mut self, event: &EventRef<'_>) -> Result<(), String> {
        if event.sequence != self.sequence.next() {
            return Err(format!(
                "expected event {}, got {}",
                self.sequence.next(),
                event.sequence
            ));
        }
        if whole_state::is_stored_whole::<E>() {
            return Err("an event was stored, but the entity is a CRUD one".to_owned());
        }
        let codec = codec(event.codec)?;
        let decoded: E::Event = event::decode(event.name, event.version, codec, event.payload)
            .map_err(|e| format!("event `{}` version {}: {e}", event.name, event.version))?;
        self.entity.state.apply(&decoded);
        Ok(())
    }

    /// `reason` is ours: what a decoder says may quote the state, which has no place in a log.
    fn drop_snapshot(&mut self, reason: &'static str) -> bool {
        tracing::warn!(
            entity = E::TYPE,
            reason,
            "a snapshot is dropped, all events are replayed"
        );
        self.snapshot = SnapshotUse::Unreadable;
        false
    }
}

fn codec(id: u8) -> Result<Codec, String> {
    Codec::from_id(id).ok_or_else(|| format!("codec {id} is unknown"))
}

impl<E: Behavior> Replay for Recovery<E> {
    fn snapshot(&mut self, snapshot: SnapshotRef<'_>) -> bool {
        if self.settings.from_events_to.is_some() {
            return false;
        }
        if snapshot.shape != self.settings.shape {
            self.snapshot = SnapshotUse::Outdated;
            return false;
        }
        let Ok(codec) = codec(snapshot.codec) else {
            return self.drop_snapshot("its codec is unknown");
        };
        match isolate(|| codec.decode::<E>(snapshot.payload)) {
            Ok(Ok(state)) => {
                self.entity.state = state;
                self.sequence = snapshot.sequence;
                self.snapshot = SnapshotUse::Taken;
                true
            }
            Ok(Err(_)) => self.drop_snapshot("it cannot be decoded"),
            Err(_) => self.drop_snapshot("decoding it panicked"),
        }
    }

    fn state(&mut self, stored: StateRef<'_>) -> ControlFlow<()> {
        let Some(state) = &stored.state else {
            // Deleted: the default state, and the numbers go on.
            self.entity.is_deleted();
            self.sequence = stored.sequence;
            return ControlFlow::Continue(());
        };
        let read = isolate(|| whole_state::read(state, self.settings.shape))
            .unwrap_or_else(|panic| Err(format!("reading the state panicked: {panic}")));
        match read {
            Ok(entity) => {
                self.entity = entity;
                self.sequence = stored.sequence;
                ControlFlow::Continue(())
            }
            Err(reason) => {
                self.failure = Some(Unrecoverable {
                    sequence: stored.sequence,
                    reason,
                });
                ControlFlow::Break(())
            }
        }
    }

    fn event(&mut self, event: EventRef<'_>) -> ControlFlow<()> {
        if self
            .settings
            .from_events_to
            .is_some_and(|end| event.sequence > end)
        {
            return ControlFlow::Break(());
        }
        let applied = isolate(|| self.apply(&event))
            .unwrap_or_else(|panic| Err(format!("event `{}` panicked: {panic}", event.name)));
        match applied {
            Ok(()) => {
                self.sequence = event.sequence;
                ControlFlow::Continue(())
            }
            Err(reason) => {
                self.failure = Some(Unrecoverable {
                    sequence: event.sequence,
                    reason,
                });
                ControlFlow::Break(())
            }
        }
    }

    fn skipped(&mut self, sequence: SequenceNumber) {
        if self
            .settings
            .from_events_to
            .is_none_or(|end| sequence <= end)
        {
            self.sequence = sequence;
        }
    }

    fn record(&mut self, record: RecordRef<'_>) -> ControlFlow<()> {
        if record.time < self.settings.cutoff || planted!(KeysNotRecovered) {
            return ControlFlow::Break(());
        }
        let keys = self.keys.get_or_insert_default();
        if keys.len() >= self.settings.keys_max {
            keys.truncated(record.offset);
            return ControlFlow::Break(());
        }
        keys.load(record);
        ControlFlow::Continue(())
    }
}
