//! An operator leaves an event out.

use statefn_store::{
    Batch, CommitError, Member, Outcome, PersistenceId, Refusal, SequenceNumber, Skip,
};

use crate::runtime::engine::Engine;

/// Why an event was not left out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SkipError {
    /// Only an entity that is quarantined can lose an event. One whose damage has not been met
    /// yet is quarantined by its next command. Not applied.
    #[error("{id} is not quarantined")]
    NotQuarantined {
        /// The entity.
        id: PersistenceId,
    },
    /// The entity is quarantined at another event. Not applied.
    #[error("{id} is quarantined at sequence number {at}, not at {asked}")]
    AnotherEvent {
        /// The entity.
        id: PersistenceId,
        /// Where it stopped.
        at: SequenceNumber,
        /// What was to be left out.
        asked: SequenceNumber,
    },
    /// The reason is empty or longer than the limit of a payload. Not applied.
    #[error("a reason has 1 to {limit} bytes, this one has {bytes}")]
    Reason {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The entity was written to meanwhile. Not applied.
    #[error("the decision was refused")]
    Refused(#[source] Refusal),
    /// The store did not commit; the error says whether it applied.
    #[error("the decision was not committed")]
    Commit(#[source] CommitError),
}

/// Stores the decision and releases the entity.
pub(super) async fn skip(
    engine: &Engine,
    id: &PersistenceId,
    sequence: SequenceNumber,
    reason: &str,
) -> Result<(), SkipError> {
    let shared = engine.shared();
    let (bytes, limit) = (reason.len(), shared.limits.payload_bytes_max);
    if bytes == 0 || bytes > limit {
        return Err(SkipError::Reason { bytes, limit });
    }
    let Some(quarantine) = shared.quarantined.get(id) else {
        return Err(SkipError::NotQuarantined { id: id.clone() });
    };
    if quarantine.sequence != sequence {
        return Err(SkipError::AnotherEvent {
            id: id.clone(),
            at: quarantine.sequence,
            asked: sequence,
        });
    }
    // While an entity is quarantined it has no activation, so nobody else commits for it.
    commit(
        engine,
        id,
        Skip {
            sequence,
            reason: reason.to_owned(),
        },
    )
    .await?;
    tracing::warn!(entity = %id, %sequence, reason, "an operator leaves an event out");
    shared.quarantined.release(id);
    Ok(())
}

/// Commits the decision at the end of the entity's journal.
async fn commit(engine: &Engine, id: &PersistenceId, skip: Skip) -> Result<(), SkipError> {
    let shared = engine.shared();
    // A damaged entity cannot be loaded, but a refusal tells where its journal ends.
    let mut expected = skip.sequence;
    let mut refused = None;
    for _ in 0..2 {
        let mut member = Member::new(id.clone(), expected, shared.env.wall());
        member.skip = Some(skip.clone());
        let batch = Batch {
            epoch: shared.epoch(),
            members: vec![member],
        };
        let outcomes = shared.store.commit(batch).await;
        match outcomes.map_err(SkipError::Commit)?.first() {
            Some(Outcome::Refused(refusal @ Refusal::Stale { actual, .. })) => {
                expected = *actual;
                refused = Some(*refusal);
            }
            Some(Outcome::Refused(refusal)) => return Err(SkipError::Refused(*refusal)),
            Some(Outcome::Committed { .. }) | None => return Ok(()),
        }
    }
    refused.map_or(Ok(()), |refusal| Err(SkipError::Refused(refusal)))
}
