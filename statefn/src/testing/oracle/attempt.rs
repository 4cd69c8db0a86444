//! What callers did and saw.

use statefn_store::{PersistenceId, SequenceNumber};

/// What one caller did and saw: one call, sent once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, unique in the history; the call carries it under [`ATTEMPT_HEADER`](super::ATTEMPT_HEADER).
    pub number: u64,
    /// The number of the first attempt of the same command: a command that is sent again under
    /// the same key is the same one. A call that was sent once names itself.
    pub command: u64,
    /// Who called. Calls of one caller to one entity keep their order.
    pub caller: u64,
    /// Who was called.
    pub entity: PersistenceId,
    /// When the call was accepted: before its first poll, on a clock that all callers share.
    pub called: u64,
    /// When the answer was there, on the same clock. `None` if none came.
    pub answered: Option<u64>,
    /// What the answer said.
    pub saw: Saw,
    /// A digest of the reply or rejection, if there was one: answers of one command must agree.
    pub digest: Option<u64>,
}

/// What an answer says of the entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saw {
    /// A reply. The command's events, so many, end at this sequence number.
    Applied {
        /// Sequence number of the command's last event.
        last: SequenceNumber,
        /// How many events it has.
        events: u64,
    },
    /// A rejection, a query's result, or the reply of a command without events: decided on the
    /// state at one of these sequence numbers. Whoever knows it exactly names one.
    Decided {
        /// The sequence numbers, rising.
        at: Vec<SequenceNumber>,
    },
    /// An error that says that the command was not applied.
    NotApplied,
    /// An error that says that the outcome is unknown.
    Unknown,
    /// The caller went away, or was lost with its process.
    Nothing,
    /// The caller still waited when the run ended.
    Waits,
}
