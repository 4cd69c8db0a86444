//! Replay of one entity for a check: does its snapshot say what its events say?

use statefn_store::{LoadError, PersistenceId, Timestamp};

use crate::runtime::definition::Definition;
use crate::runtime::hosted::Hosted;
use crate::runtime::recovery::{Recovered, RecoverySettings, SnapshotUse, Unrecoverable};
use crate::runtime::shared::Shared;

/// What a check of one entity saw.
pub(crate) enum Checked {
    /// Its events decode and apply; it has no snapshot.
    NoSnapshot,
    /// Snapshot and events lead to the same state.
    Same,
    /// The snapshot is of another shape and not used.
    Outdated,
    /// The bytes of the two states differ, and the type has no `PartialEq` to tell.
    Incomparable,
    /// What is wrong.
    Faulty(String),
}

/// Replays an entity. `None` when its type is not hosted.
pub(crate) async fn entity(
    shared: &Shared,
    id: &PersistenceId,
) -> Result<Option<Checked>, LoadError> {
    let is_its_type = |hosted: &&Hosted| hosted.entity_type == *id.entity_type();
    let Some(hosted) = shared.hosted.iter().find(is_its_type) else {
        return Ok(None);
    };
    let settings = RecoverySettings {
        shape: hosted.shape,
        // Records are not looked at.
        cutoff: Timestamp::from_millis(i64::MAX),
        ..RecoverySettings::default()
    };
    let usual = match replay(shared, hosted, id, settings).await? {
        Ok(recovered) => recovered,
        Err(failure) => return Ok(Some(faulty(&failure))),
    };
    let compare = match usual.snapshot {
        SnapshotUse::None => return Ok(Some(Checked::NoSnapshot)),
        SnapshotUse::Outdated => return Ok(Some(Checked::Outdated)),
        SnapshotUse::Unreadable => {
            return Ok(Some(Checked::Faulty(
                "the snapshot does not decode".to_owned(),
            )));
        }
        SnapshotUse::Taken => RecoverySettings {
            from_events_to: Some(usual.sequence),
            ..settings
        },
    };
    let from_events = match replay(shared, hosted, id, compare).await? {
        Ok(recovered) => recovered,
        Err(failure) => return Ok(Some(faulty(&failure))),
    };
    Ok(Some(same(&*hosted.definition, &usual, &from_events)))
}

async fn replay(
    shared: &Shared,
    hosted: &Hosted,
    id: &PersistenceId,
    settings: RecoverySettings,
) -> Result<Result<Recovered, Unrecoverable>, LoadError> {
    let replay = hosted.definition.recovery(settings);
    let loaded = shared.store.load(id, replay).await?;
    Ok(hosted.definition.recovered(loaded))
}

fn same(definition: &dyn Definition, usual: &Recovered, from_events: &Recovered) -> Checked {
    match definition.same_state(&*usual.state, &*from_events.state) {
        Some(true) => Checked::Same,
        Some(false) => Checked::Faulty(format!(
            "the state from the snapshot differs from the one that the events lead to, \
             at sequence number {}",
            usual.sequence
        )),
        None => Checked::Incomparable,
    }
}

fn faulty(failure: &Unrecoverable) -> Checked {
    Checked::Faulty(format!(
        "sequence number {}: {}",
        failure.sequence, failure.reason
    ))
}
