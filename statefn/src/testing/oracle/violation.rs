//! Promises that were not kept.

use statefn_store::{Offset, PersistenceId, SequenceNumber};

/// A promise that was not kept. Numbers are those of attempts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// Acknowledged, and not in the journal.
    #[error("{entity}: attempt {attempt} was acknowledged, its events are not in the journal")]
    Lost {
        /// The attempt.
        attempt: u64,
        /// Its entity.
        entity: PersistenceId,
    },
    /// Acknowledged at another sequence number than the journal has it at.
    #[error("{entity}: attempt {attempt} was told to end at {told}, the journal has it at {found}")]
    Misplaced {
        /// The attempt.
        attempt: u64,
        /// Its entity.
        entity: PersistenceId,
        /// What its caller was told.
        told: SequenceNumber,
        /// What the journal says.
        found: SequenceNumber,
    },
    /// A command took effect twice.
    #[error("{entity}: command {command} took effect in attempts {attempts:?}")]
    Doubled {
        /// The command.
        command: u64,
        /// Its entity.
        entity: PersistenceId,
        /// Two attempts that took effect.
        attempts: [u64; 2],
    },
    /// A command was stored in part, more than once, or with something in between.
    #[error("{entity}: the events of attempt {attempt} are not one whole")]
    Torn {
        /// The attempt.
        attempt: u64,
        /// Its entity.
        entity: PersistenceId,
    },
    /// Two attempts of one command were answered differently.
    #[error("{entity}: command {command} was answered differently in attempts {attempts:?}")]
    Contradicted {
        /// The command.
        command: u64,
        /// Its entity.
        entity: PersistenceId,
        /// The two attempts.
        attempts: [u64; 2],
    },
    /// The caller was told that it was not applied, and it was.
    #[error("{entity}: attempt {attempt} was said not to be applied, the journal has its events")]
    Applied {
        /// The attempt.
        attempt: u64,
        /// Its entity.
        entity: PersistenceId,
    },
    /// An answer left before what it depends on was committed.
    #[error("{entity}: attempt {attempt} was answered before the commit that it depends on")]
    Early {
        /// The attempt.
        attempt: u64,
        /// Its entity.
        entity: PersistenceId,
    },
    /// An answer, or an effect, knows less than was answered before its call.
    #[error("{entity}: attempt {attempt} does not know of {known}, which was answered before it")]
    Stale {
        /// The attempt.
        attempt: u64,
        /// Its entity.
        entity: PersistenceId,
        /// The sequence number that had been answered.
        known: SequenceNumber,
    },
    /// No state that the entity can have been in leads to this answer.
    #[error("{entity}: no state in the journal explains the answer of attempt {attempt}")]
    Unexplained {
        /// The attempt.
        attempt: u64,
        /// Its entity.
        entity: PersistenceId,
    },
    /// Two calls of one caller took effect in the wrong order.
    #[error("{entity}: attempt {later} took effect before attempt {earlier} of the same caller")]
    OutOfTurn {
        /// The entity.
        entity: PersistenceId,
        /// Called first.
        earlier: u64,
        /// Called later, effective first.
        later: u64,
    },
    /// The journal has a gap, or order of offsets is not order of sequence numbers.
    #[error("{entity}: entry {sequence} at offset {offset} does not follow the one before")]
    Gap {
        /// The entity.
        entity: PersistenceId,
        /// The entry's sequence number.
        sequence: SequenceNumber,
        /// The entry's offset.
        offset: Offset,
    },
    /// A caller was never answered.
    #[error("{entity}: attempt {attempt} was never answered")]
    Waits {
        /// The attempt.
        attempt: u64,
        /// Its entity.
        entity: PersistenceId,
    },
}
