//! The unit of commit: a batch of members, each of them one command's writes.

use crate::{
    Deferred, NewEvent, NewRecord, NewSnapshot, Offset, OwnerEpoch, PersistenceId, SequenceNumber,
    StateChange, StoreFailure, Timestamp,
};

/// Members that commit together under one owner epoch.
///
/// ```
/// use statefn_store::{Batch, Member, Memory, Outcome, PersistenceId, Refusal};
/// use statefn_store::{SequenceNumber, Store, Timestamp};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Memory::new();
/// let epoch = store.claim().await?;
/// let member = |id, expected| {
///     let id = PersistenceId::new("cart", id);
///     Member::new(id, SequenceNumber::new(expected), Timestamp::from_millis(0))
/// };
/// let members = vec![member("alice", 0), member("bob", 7)];
/// let outcomes = store.commit(Batch { epoch, members }).await?;
/// // Bob's cart is new: his member is refused, Alice's is not concerned.
/// assert!(matches!(outcomes[0], Outcome::Committed { .. }));
/// assert!(matches!(outcomes[1], Outcome::Refused(Refusal::Stale { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The epoch under which the runtime owns the store.
    pub epoch: OwnerEpoch,
    /// The members, in the order in which they take effect.
    pub members: Vec<Member>,
}

/// Everything one command writes: all of it commits, or none of it.
///
/// A member may hold any combination of events, state, snapshot, record, skip and deferred calls; one
/// that holds nothing is valid and only checks the expected sequence number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The entity.
    pub id: PersistenceId,
    /// The entity's sequence number before this member. Anything else refuses the member.
    pub expected: SequenceNumber,
    /// When the command ran.
    pub time: Timestamp,
    /// Encoded metadata of the command; empty when there is none.
    pub metadata: Vec<u8>,
    /// Events, numbered `expected + 1 ..` in this order.
    pub events: Vec<NewEvent>,
    /// The state as a whole, or its deletion, behind `events`: numbered after the last of them.
    pub state: Option<Box<StateChange>>,
    /// State after the last of `events`; only together with at least one event, and without
    /// `state`.
    pub snapshot: Option<NewSnapshot>,
    /// The outcome of a keyed command.
    pub record: Option<NewRecord>,
    /// An operator's decision to leave an event out of later replays.
    pub skip: Option<Skip>,
    /// Effects, timers, and the stored call that this member answers.
    pub deferred: Option<Box<Deferred>>,
}

impl Member {
    /// A member that writes nothing yet.
    ///
    /// ```
    /// use statefn_store::{Member, PersistenceId, SequenceNumber, Timestamp};
    ///
    /// let id = PersistenceId::new("cart", "alice");
    /// let member = Member::new(id, SequenceNumber::ZERO, Timestamp::from_millis(0));
    /// assert_eq!(member.last_sequence(), SequenceNumber::ZERO);
    /// ```
    pub fn new(id: PersistenceId, expected: SequenceNumber, time: Timestamp) -> Self {
        Self {
            id,
            expected,
            time,
            metadata: Vec::new(),
            events: Vec::new(),
            state: None,
            snapshot: None,
            record: None,
            skip: None,
            deferred: None,
        }
    }

    /// The entity's sequence number after this member.
    ///
    /// ```
    /// use statefn_store::{Member, NewEvent, PersistenceId, SequenceNumber, Timestamp};
    ///
    /// let id = PersistenceId::new("cart", "alice");
    /// let mut member = Member::new(id, SequenceNumber::new(4), Timestamp::from_millis(0));
    /// member.events.push(NewEvent {
    ///     name: "item-added".into(),
    ///     version: 1,
    ///     codec: 0,
    ///     payload: b"apples".to_vec(),
    /// });
    /// assert_eq!(member.last_sequence().get(), 5);
    /// ```
    pub fn last_sequence(&self) -> SequenceNumber {
        let count = self.events.len() + usize::from(self.state.is_some());
        self.expected.plus(count as u64)
    }
}

/// An audited decision to leave one stored event out of every later replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// The event to leave out.
    pub sequence: SequenceNumber,
    /// Why; kept in the journal.
    pub reason: String,
}

/// What became of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// On stable storage.
    Committed {
        /// The member's last journal entry; the entity's previous one if it wrote none
        /// ([`Offset::ZERO`] for an entity that has none at all).
        position: Offset,
    },
    /// Not applied; its neighbours are untouched.
    Refused(Refusal),
}

/// Why a member was not applied.
///
/// ```
/// use statefn_store::{Refusal, SequenceNumber};
///
/// let (expected, actual) = (SequenceNumber::new(4), SequenceNumber::new(5));
/// let refusal = Refusal::Stale { expected, actual };
/// assert_eq!(
///     refusal.to_string(),
///     "expected sequence number 4, but the entity is at 5"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The entity is at another sequence number than the writer believed.
    #[error("expected sequence number {expected}, but the entity is at {actual}")]
    Stale {
        /// What the member expected.
        expected: SequenceNumber,
        /// Where the entity is.
        actual: SequenceNumber,
    },
    /// An earlier member of the same entity in the same batch was refused.
    #[error("an earlier write of the entity in the same batch was refused")]
    Overtaken,
    /// The effect or the firing of a timer that the member answers is no longer in the store: it
    /// was answered before, cancelled, or given up.
    #[error("the stored call that it answers is gone")]
    Settled,
}

/// Why a whole batch was not, or may not have been, committed.
///
/// ```
/// use statefn_store::{Batch, CommitError, Memory, Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Memory::new();
/// let epoch = store.claim().await?;
/// // A second runtime takes the store over; the first one finds out at its next commit.
/// store.claim().await?;
/// let refused = store.commit(Batch { epoch, members: Vec::new() }).await;
/// assert!(matches!(refused, Err(CommitError::Fenced { held, .. }) if held == epoch));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// Another owner claimed the store. Not applied.
    #[error("epoch {held} no longer owns the store, epoch {current} does")]
    Fenced {
        /// The batch's epoch.
        held: OwnerEpoch,
        /// The store's epoch.
        current: OwnerEpoch,
    },
    /// Rolled back, or refused before it began. Not applied.
    #[error("the store is unavailable")]
    Unavailable(#[source] StoreFailure),
    /// COMMIT was issued and did not answer with success: applied or not, nobody knows before the
    /// store has been reopened.
    #[error("the outcome of the commit is unknown")]
    Unknown(#[source] StoreFailure),
}
