//! The contract between the runtime and a backend.

use std::fmt::Debug;
use std::path::Path;

use async_trait::async_trait;

use crate::{
    Batch, CommitError, DeadLetter, Effect, EntityType, Entry, FailureKind, LoadError, Loaded,
    Offset, OutboxNumber, Outcome, OwnerEpoch, PassedOver, PersistenceId, Projected, Projecting,
    ProjectionId, Replay, RowsFound, RowsWanted, StoreFailure, StoredProjections, StoredRecord,
    Tending, Timer, Timestamp, ViewPage, ViewQuery,
};

/// A place where journals live.
///
/// Object-safe and batch-shaped; bytes only. The runtime holds an `Arc<dyn Store>`.
///
/// # What the runtime promises the backend
///
/// - R1. It calls [`claim`](Self::claim) once before its first commit and puts that epoch into
///   every batch.
/// - R2. It has at most one commit in flight that concerns a given entity.
/// - R3. Each member carries the sequence number that its entity has before it, counting the
///   earlier members of the same batch.
/// - R4. A snapshot comes only with at least one event and without a state, and is the state after
///   the last event.
/// - R5. Names, keys, ids and payloads are within the limits of the runtime; a member has at most
///   [`OutboxNumber::PER_MEMBER`] effects and timers together.
/// - R6. It sends each batch once. A member without events or state would be taken a second time:
///   nothing else moves the sequence number on.
///
/// # What the backend promises the runtime
///
/// - B1 *durable*: `Ok` from [`commit`](Self::commit) means that every member with
///   [`Outcome::Committed`] is on stable storage.
/// - B2 *atomic*: a member is stored whole or not at all, whatever fails, whenever it fails.
/// - B3 *checked*: a member whose `expected` differs from the entity's sequence number is refused;
///   the others of the batch are not touched. Members of one entity are judged in their order, and
///   one that comes after a refused one is refused as well, whatever it expects: it was decided on
///   a state that never came to be.
/// - B4 *fenced*: a batch under another epoch than the newest claim's is refused whole, inside the
///   commit's own transaction.
/// - B5 *said plainly*: `Unavailable` and `Fenced` mean that nothing was applied; an error after
///   COMMIT was issued is `Unknown`.
/// - B6 *ordered*: offsets rise by one in commit order from 1, without gaps, are never reused, and
///   nothing ever appears behind an entry that a reader has seen.
/// - B7 *isolated*: readers never see uncommitted entries; a damaged entry fails its own entity
///   only.
/// - B8 *whole*: [`load`](Self::load) and [`read`](Self::read) verify the checksum of all that
///   they hand out and never hand out damaged bytes.
/// - B9 *recovering*: after a failure the backend drops everything in memory that was not
///   confirmed, restores itself from stable storage, and only then serves again; until then
///   commits answer `Unavailable`.
/// - B10 *whole states*: a state or a deletion takes the place of everything before it: no load
///   reads further back, and an older snapshot is gone. Entries, offsets and records stay.
/// - B11 *erased*: after `Ok` from [`erase`](Self::erase) no call hands out what the entity's entries
///   before its newest deletion said, except the keys and fingerprints of the records that were to be
///   kept. Offsets and sequence numbers stay, and everything from the deletion on is untouched.
/// - B12 *exactly once*: effects and timers of a member are stored with it, under the number that
///   [`OutboxNumber::of`] gives for the member's last entry; a member that sends and has neither
///   event, state, record nor skip gets an entry of its own, [`EntryBody::Sent`](crate::EntryBody::Sent).
///   A member that settles a call removes it, or moves its timer on, in the same commit, and is
///   refused ([`Refusal::Settled`](crate::Refusal::Settled)) if the call is not there, is a dead
///   letter, or is due at another time. The sequence number is judged first. A number is never
///   given out twice.
/// - B13 *projected*: [`project`](Self::project) stores a change of a projection whole or not at all.
///   An advance takes place only where the projection stands at `expected`, so of two that start
///   from one place, one is refused: every entry is folded exactly once. One version of a name
///   serves; the first one does from its beginning, and [`Serve`](crate::Projecting::Serve) moves
///   that to another version in one commit. What a call reads is of one point in time, and answered
///   with the offset up to which it is the fold of the journal. Rows are ordered by the bytes of
///   their keys, in an index by its values and then by keys. Erasing and deleting entities does not
///   touch rows.
///
/// # Cancel safety
///
/// Dropping a `commit`, `project` or `erase` future after its first poll does not take it back: it may
/// commit.
/// Every other future may be dropped at any time without effect.
///
/// A backend may complete any of these futures at the first poll; an in-memory one must.
///
/// # Examples
///
/// What a runtime does with a store (see [`Replay`] for loading):
///
/// ```
/// use statefn_store::{Batch, Member, Memory, NewEvent, Offset, Outcome, PersistenceId};
/// use statefn_store::{SequenceNumber, Store, Timestamp};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Memory::new();
/// let epoch = store.claim().await?;
/// let alice = PersistenceId::new("cart", "alice");
/// let mut member = Member::new(alice.clone(), SequenceNumber::ZERO, Timestamp::from_millis(0));
/// member.events.push(NewEvent {
///     name: "item-added".into(),
///     version: 1,
///     codec: 0,
///     payload: b"apples".to_vec(),
/// });
/// let outcomes = store.commit(Batch { epoch, members: vec![member] }).await?;
/// let position = Offset::new(1);
/// assert_eq!(outcomes, [Outcome::Committed { position }]);
///
/// let page = store.read(Offset::ZERO, 100).await?;
/// assert_eq!((page.len(), &page[0].id), (1, &alice));
/// assert_eq!(store.entities(None, 100).await?, [alice]);
/// assert!(store.verify().await?.faults.is_empty());
/// store.close().await?;
/// # Ok(())
/// # }
/// ```
///
/// A backend of your own implements this trait under [`async_trait`](crate::async_trait) and shows
/// with `statefn_store::conformance!` (feature `testing`) that it keeps B1 to B13.
#[async_trait]
pub trait Store: Debug + Send + Sync + 'static {
    /// Takes ownership: raises the stored epoch by one and returns it. Earlier owners are fenced.
    ///
    /// # Errors
    ///
    /// The epoch could not be stored.
    async fn claim(&self) -> Result<OwnerEpoch, StoreFailure>;

    /// Commits a batch and answers with one outcome a member, in the members' order.
    ///
    /// # Errors
    ///
    /// See [`CommitError`]: each variant says whether the batch was applied.
    async fn commit(&self, batch: Batch) -> Result<Vec<Outcome>, CommitError>;

    /// Overwrites what the entity's entries before its newest deletion say, and answers how many it
    /// has overwritten. Without a deletion, or a second time, that is none.
    ///
    /// Offsets, sequence numbers and times stay. Records written at `records_from` or later keep
    /// their key and fingerprint, so that a command under such a key still does not run twice; their
    /// outcomes go. It may take several transactions: an error can leave some of it done, and a
    /// repetition does the rest.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit); `Fenced` under another epoch than the newest claim's.
    async fn erase(
        &self,
        epoch: OwnerEpoch,
        id: &PersistenceId,
        records_from: Timestamp,
    ) -> Result<u64, CommitError>;

    /// Streams one entity into `replay` (see [`Replay`] for the order) and returns its head.
    ///
    /// Everything comes from one consistent point in time. A snapshot that cannot be read is not
    /// offered. An unknown entity has the default head and no calls.
    ///
    /// # Errors
    ///
    /// A damaged entry, or a store that cannot read.
    async fn load(&self, id: &PersistenceId, replay: Box<dyn Replay>) -> Result<Loaded, LoadError>;

    /// Finds an entity's newest record under `key`, walking back from the record at `newest`.
    ///
    /// # Errors
    ///
    /// A damaged entry on the way, or a store that cannot read.
    async fn find_record(
        &self,
        id: &PersistenceId,
        key: &str,
        newest: Offset,
    ) -> Result<Option<StoredRecord>, LoadError>;

    /// Up to `limit` committed entries with offsets from `from` on, in order, all kinds.
    ///
    /// A page may be shorter than `limit`; only an empty one means that nothing at or after `from`
    /// is committed. A damaged entry ends the page before it; when it is the first one, the call
    /// fails.
    ///
    /// # Errors
    ///
    /// A damaged first entry, or a store that cannot read.
    async fn read(&self, from: Offset, limit: usize) -> Result<Vec<Entry>, LoadError>;

    /// Up to `limit` entities that have entries, in the order of [`PersistenceId`], after `after`.
    ///
    /// # Errors
    ///
    /// The store cannot read.
    async fn entities(
        &self,
        after: Option<&PersistenceId>,
        limit: usize,
    ) -> Result<Vec<PersistenceId>, StoreFailure>;

    /// The types of all stored entities, sorted.
    ///
    /// # Errors
    ///
    /// The store cannot read.
    async fn entity_types(&self) -> Result<Vec<EntityType>, StoreFailure>;

    /// Up to `limit` effects that wait in the outbox, by rising number, with numbers above `after`;
    /// dead letters are not among them. A damaged row is left out, and named by
    /// [`verify`](Self::verify).
    ///
    /// # Errors
    ///
    /// The store cannot read.
    async fn effects(&self, after: OutboxNumber, limit: usize)
    -> Result<Vec<Effect>, StoreFailure>;

    /// Up to `limit` dead letters, by rising number, with numbers above `after`; damaged rows as in
    /// [`effects`](Self::effects).
    ///
    /// # Errors
    ///
    /// The store cannot read.
    async fn dead_letters(
        &self,
        after: OutboxNumber,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreFailure>;

    /// Up to `limit` timers with `wake` at or before `until`, by rising `wake`, then number; damaged
    /// rows as in [`effects`](Self::effects).
    ///
    /// # Errors
    ///
    /// The store cannot read.
    async fn timers(&self, until: Timestamp, limit: usize) -> Result<Vec<Timer>, StoreFailure>;

    /// Changes stored calls outside a command, all in one commit, and answers for each change
    /// whether there was something to change.
    ///
    /// # Errors
    ///
    /// See [`CommitError`]; a batch's clauses B1, B2, B4 and B5 hold here too.
    async fn tend(
        &self,
        epoch: OwnerEpoch,
        changes: Vec<Tending>,
    ) -> Result<Vec<bool>, CommitError>;

    /// All projections, and where the journal ends.
    ///
    /// # Errors
    ///
    /// The store cannot read, or what it knows of a projection is damaged.
    async fn projections(&self) -> Result<StoredProjections, StoreFailure>;

    /// Changes one version of a projection, in one commit.
    ///
    /// # Errors
    ///
    /// See [`CommitError`]; a batch's clauses B1, B2, B4 and B5 hold here too.
    async fn project(
        &self,
        epoch: OwnerEpoch,
        change: Projecting,
    ) -> Result<Projected, CommitError>;

    /// Rows of one version by their keys; `None` if there is no such version.
    ///
    /// # Errors
    ///
    /// The store cannot read, or one of the rows is damaged.
    async fn rows(&self, wanted: RowsWanted) -> Result<Option<RowsFound>, StoreFailure>;

    /// A page of a view's rows; `None` if there is no such version, or none that serves.
    ///
    /// A page may be shorter than the limit; [`ViewPage::more`] says whether there are further rows.
    ///
    /// # Errors
    ///
    /// The store cannot read, or one of the rows is damaged.
    async fn view(&self, query: ViewQuery) -> Result<Option<ViewPage>, StoreFailure>;

    /// Up to `limit` entries that a projection has left out, by rising offset, behind `after`.
    ///
    /// # Errors
    ///
    /// The store cannot read, or one of them is damaged.
    async fn passed_over(
        &self,
        id: &ProjectionId,
        after: Offset,
        limit: usize,
    ) -> Result<Vec<PassedOver>, StoreFailure>;

    /// Checks everything that the backend can check without user code: checksums, chains, gaps,
    /// derived tables against the journal.
    ///
    /// # Errors
    ///
    /// The store cannot read at all. Damage found is not an error but part of the report.
    async fn verify(&self) -> Result<StoreReport, StoreFailure>;

    /// Writes a consistent copy of the store to a new file while commits go on.
    ///
    /// # Errors
    ///
    /// `Unsupported` by default; a target that exists or cannot be written.
    async fn backup(&self, to: &Path) -> Result<(), StoreFailure> {
        let _ = to;
        Err(StoreFailure::new(
            FailureKind::Unsupported,
            "this store keeps no file to back up",
        ))
    }

    /// Copies every readable entry into a new store file and reports what was left behind.
    ///
    /// # Errors
    ///
    /// `Unsupported` by default; a target that exists or cannot be written.
    async fn salvage(&self, to: &Path) -> Result<StoreReport, StoreFailure> {
        let _ = to;
        Err(StoreFailure::new(
            FailureKind::Unsupported,
            "this store keeps no file to salvage",
        ))
    }

    /// Finishes the commit under way, refuses further ones, and releases files and locks.
    ///
    /// # Errors
    ///
    /// The last checkpoint failed; nothing acknowledged is lost.
    async fn close(&self) -> Result<(), StoreFailure>;
}

/// What a check or a salvage saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreReport {
    /// Entities seen.
    pub entities: u64,
    /// Journal entries seen.
    pub entries: u64,
    /// Snapshots seen.
    pub snapshots: u64,
    /// Everything that is wrong, each with its place.
    pub faults: Vec<Fault>,
}

/// One damaged place in a store.
///
/// ```
/// use statefn_store::{Fault, Offset, PersistenceId};
///
/// let fault = Fault {
///     id: Some(PersistenceId::new("cart", "alice")),
///     offset: Some(Offset::new(9)),
///     what: "wrong checksum".to_owned(),
/// };
/// assert_eq!(fault.to_string(), "cart/alice: offset 9: wrong checksum");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The entity, when it is known.
    pub id: Option<PersistenceId>,
    /// The journal entry or snapshot, when it is known.
    pub offset: Option<Offset>,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(id) = &self.id {
            write!(f, "{id}: ")?;
        }
        if let Some(offset) = self.offset {
            write!(f, "offset {offset}: ")?;
        }
        f.write_str(&self.what)
    }
}
