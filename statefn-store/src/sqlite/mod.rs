//! The SQLite backend: one file, nothing to install.
//!
//! `FORMAT.md` beside this crate describes the file. The rules that keep it whole, each in the file
//! that is named after it: the journal is append-only and no index is touched for an event
//! (`append`); `head`s are merged into their table late, behind a watermark (`merge`), and rebuilt
//! from the journal's tail at a start (`rebuild`); one `writer` thread owns the only writing
//! `connection` and gathers what waits in its `queue` into one transaction of the `journal`;
//! whoever asks `load`s an entity through a `dense` range or back along its `chain`, and hands a
//! long load to a `reader` thread.

mod append;
mod audit;
mod backup;
mod chain;
mod checksum;
mod connection;
mod connections;
mod deferred;
mod dense;
mod entry;
mod erase;
mod failure;
mod file;
mod handle;
mod head;
mod heads;
mod journal;
mod kind;
mod limits;
mod listing;
mod load;
mod lock;
mod log;
mod merge;
mod number;
mod open_error;
mod outbox;
mod page;
mod positions;
mod projection;
mod projections;
mod queue;
mod reader;
mod rebuild;
mod reply;
mod row;
mod salvage;
mod schema;
mod shared;
mod stage;
mod stored_call;
mod target;
#[cfg(test)]
mod tests;
mod timers;
mod tuning;
mod verify;
mod view_rows;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::oneshot;

use crate::{
    Batch, CommitError, DeadLetter, Effect, EntityType, Entry, FailureKind, LoadError, Loaded,
    Offset, OutboxNumber, Outcome, OwnerEpoch, PassedOver, PersistenceId, Projected, Projecting,
    ProjectionId, Replay, RowsFound, RowsWanted, Store, StoreFailure, StoreReport,
    StoredProjections, StoredRecord, Tending, Timer, Timestamp, ViewPage, ViewQuery,
};
use erase::Erasure;
use handle::Handle;
pub use open_error::OpenError;
use queue::{Project, Request, Tend, Waiting};
use reader::unavailable;
#[doc(hidden)]
pub use tuning::Tuning;

/// A store in one SQLite file.
///
/// Durable with every commit (write-ahead log, `synchronous=FULL`). While it is open there are
/// three more files beside the database: SQLite's `-wal` and `-shm`, and a `.lock` that keeps a
/// second process out. Copy a store with [`backup`](Store::backup), never file by file.
///
/// Clones share the store; it is closed by [`close`](Store::close) or with the last clone, which
/// waits up to ten seconds for the last checkpoint.
///
/// # Limits
///
/// One process at a time; a local file with one name (a hard link would give it a second log, so it
/// is refused; a network file system is not noticed, and not supported). Batches that wait: 16,384. A transaction gathers up to 4,096 members or
/// 8 MiB. In memory: up to about 400,000 heads of entities (some 200 bytes each), 64 MiB of page
/// cache for the writer and 16 MiB for each reading connection: four stay open, two more may be for a while.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use statefn_store::{Batch, Member, NewEvent, PersistenceId, SequenceNumber, Sqlite, Store, Timestamp};
///
/// let folder = tempfile::tempdir()?;
/// let store = Sqlite::open(folder.path().join("carts.db"))?;
/// let epoch = store.claim().await?;
/// let id = PersistenceId::new("cart", "alice");
/// let mut member = Member::new(id.clone(), SequenceNumber::ZERO, Timestamp::from_millis(0));
/// member.events.push(NewEvent { name: "added".into(), version: 1, codec: 0, payload: vec![1] });
/// store.commit(Batch { epoch, members: vec![member] }).await?;
/// assert_eq!(store.entities(None, 10).await?, [id]);
/// store.close().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Sqlite {
    handle: Arc<Handle>,
}

impl Sqlite {
    /// Opens the store at `path`, or makes a new one there (readable by its owner only).
    ///
    /// Blocks while it reads what an earlier process left in the log and in the unmerged tail of
    /// the journal: well under a second, also after a kill.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]: each variant says what was expected. A file that is refused is not
    /// changed. A store whose tail is damaged opens, but answers commits with
    /// [`FailureKind::ReadOnly`]; see [`salvage`](Store::salvage).
    ///
    /// ```
    /// use statefn_store::{OpenError, Sqlite};
    ///
    /// let error = Sqlite::open(":memory:").unwrap_err();
    /// assert!(matches!(error, OpenError::Path { .. }));
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let handle = Arc::new(Handle::open(path.as_ref(), Tuning::default())?);
        Ok(Self { handle })
    }

    /// For the simulated disk: a store that merges and checkpoints after a few commits.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    pub fn open_tuned(path: impl AsRef<Path>, tuning: Tuning) -> Result<Self, OpenError> {
        let handle = Arc::new(Handle::open(path.as_ref(), tuning)?);
        Ok(Self { handle })
    }

    fn writer_ended(&self) -> CommitError {
        let message = format!("{}: the writer thread ended", self.path().display());
        CommitError::Unknown(StoreFailure::new(FailureKind::Other, message))
    }

    /// The canonical path of the database.
    ///
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let store = statefn_store::Sqlite::open(folder.path().join("carts.db"))?;
    /// assert!(store.path().is_absolute());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn path(&self) -> &Path {
        &self.handle.shared.path
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite")
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for Sqlite {
    /// A damaged, read-only store is not written to: its claim fences nobody.
    async fn claim(&self) -> Result<OwnerEpoch, StoreFailure> {
        let (reply, answer) = oneshot::channel();
        self.handle.send(Request::Claim(reply))?;
        answer.await.unwrap_or_else(|_| Err(self.handle.closed()))
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Outcome>, CommitError> {
        let (reply, promise) = reply::reply();
        let waiting = Waiting { batch, reply };
        self.handle
            .send(Request::Commit(waiting))
            .map_err(CommitError::Unavailable)?;
        promise
            .committed()
            .await
            .unwrap_or_else(|| Err(self.writer_ended()))
    }

    /// Takes a transaction for each 1,024 entries. What SQLite frees is overwritten with zeros; the
    /// write-ahead log keeps the old bytes until it is next emptied, a second after the last commit.
    async fn erase(
        &self,
        epoch: OwnerEpoch,
        id: &PersistenceId,
        records_from: Timestamp,
    ) -> Result<u64, CommitError> {
        let mut erasure = Erasure {
            epoch,
            id: id.clone(),
            records_from,
            at: None,
        };
        let mut erased = 0;
        loop {
            let (reply, answer) = oneshot::channel();
            let request = Request::Erase(erasure.clone(), reply);
            self.handle
                .send(request)
                .map_err(CommitError::Unavailable)?;
            let part = answer.await.unwrap_or_else(|_| Err(self.writer_ended()));
            let (count, next) = part?;
            erased += count;
            if next == 0 {
                return Ok(erased);
            }
            erasure.at = Some(next);
        }
    }

    async fn load(&self, id: &PersistenceId, replay: Box<dyn Replay>) -> Result<Loaded, LoadError> {
        self.handle.readers.load(id, replay).await
    }

    async fn find_record(
        &self,
        id: &PersistenceId,
        key: &str,
        newest: Offset,
    ) -> Result<Option<StoredRecord>, LoadError> {
        let (id, key) = (id.clone(), key.to_owned());
        let find =
            move |conn: &_, shared: &_| load::find_record(conn, shared, &id, &key, newest.get());
        self.handle.readers.read(find).await
    }

    /// A page also ends after about 4 MiB, with at least one entry in it.
    async fn read(&self, from: Offset, limit: usize) -> Result<Vec<Entry>, LoadError> {
        let read = move |conn: &_, shared: &_| page::read(conn, shared, from.get(), limit);
        self.handle.readers.read(read).await
    }

    async fn entities(
        &self,
        after: Option<&PersistenceId>,
        limit: usize,
    ) -> Result<Vec<PersistenceId>, StoreFailure> {
        let after = after.cloned();
        let list =
            move |conn: &_, shared: &_| listing::entities(conn, shared, after.as_ref(), limit);
        self.handle.readers.read(list).await.map_err(unavailable)
    }

    async fn entity_types(&self) -> Result<Vec<EntityType>, StoreFailure> {
        let list = |conn: &_, shared: &_| listing::entity_types(conn, shared);
        self.handle.readers.read(list).await.map_err(unavailable)
    }

    async fn effects(
        &self,
        after: OutboxNumber,
        limit: usize,
    ) -> Result<Vec<Effect>, StoreFailure> {
        let page = move |conn: &_, shared: &_| outbox::effects(conn, shared, after, limit);
        self.handle.readers.read(page).await.map_err(unavailable)
    }

    async fn dead_letters(
        &self,
        after: OutboxNumber,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreFailure> {
        let page = move |conn: &_, shared: &_| outbox::dead_letters(conn, shared, after, limit);
        self.handle.readers.read(page).await.map_err(unavailable)
    }

    async fn timers(&self, until: Timestamp, limit: usize) -> Result<Vec<Timer>, StoreFailure> {
        let page = move |conn: &_, shared: &_| timers::timers(conn, shared, until, limit);
        self.handle.readers.read(page).await.map_err(unavailable)
    }

    async fn tend(
        &self,
        epoch: OwnerEpoch,
        changes: Vec<Tending>,
    ) -> Result<Vec<bool>, CommitError> {
        let (reply, answer) = oneshot::channel();
        let tend = Tend {
            epoch,
            changes,
            reply,
        };
        self.handle
            .send(Request::Tend(tend))
            .map_err(CommitError::Unavailable)?;
        answer
            .await
            .unwrap_or_else(|_| Err(CommitError::Unknown(self.handle.closed())))
    }

    async fn projections(&self) -> Result<StoredProjections, StoreFailure> {
        let read = self.handle.readers.read(projections::all).await;
        read.map_err(unavailable)
    }

    async fn project(
        &self,
        epoch: OwnerEpoch,
        change: Projecting,
    ) -> Result<Projected, CommitError> {
        let (reply, answer) = oneshot::channel();
        let project = Project {
            epoch,
            change,
            reply,
        };
        self.handle
            .send(Request::Project(project))
            .map_err(CommitError::Unavailable)?;
        answer.await.unwrap_or_else(|_| Err(self.writer_ended()))
    }

    async fn rows(&self, wanted: RowsWanted) -> Result<Option<RowsFound>, StoreFailure> {
        let read = move |conn: &_, _: &_| view_rows::rows(conn, &wanted);
        self.handle.readers.read(read).await.map_err(unavailable)
    }

    /// A page also ends after about 4 MiB, with at least one row in it.
    async fn view(&self, query: ViewQuery) -> Result<Option<ViewPage>, StoreFailure> {
        let read = move |conn: &_, _: &_| view_rows::page(conn, &query);
        self.handle.readers.read(read).await.map_err(unavailable)
    }

    async fn passed_over(
        &self,
        id: &ProjectionId,
        after: Offset,
        limit: usize,
    ) -> Result<Vec<PassedOver>, StoreFailure> {
        let id = id.clone();
        let read = move |conn: &_, _: &_| projections::passed_over(conn, &id, after, limit);
        self.handle.readers.read(read).await.map_err(unavailable)
    }

    /// Reads the whole file in one transaction, beside commits and loads; the log grows meanwhile.
    /// Takes memory for every entity, about 200 bytes each.
    async fn verify(&self) -> Result<StoreReport, StoreFailure> {
        self.handle.readers.read_aside(verify::verify).await
    }

    /// The copy is one file, complete and synced when this returns, and opens as a store.
    async fn backup(&self, to: &Path) -> Result<(), StoreFailure> {
        let to = to.to_owned();
        let copy = move |conn: &_, _: &_| backup::backup(conn, &to);
        self.handle.readers.read_aside(copy).await
    }

    /// Offsets are counted anew in the copy. An entity that has lost an event in the middle keeps
    /// the gap: it cannot be loaded until an operator skips the lost sequence number.
    async fn salvage(&self, to: &Path) -> Result<StoreReport, StoreFailure> {
        let to = to.to_owned();
        let copy = move |conn: &_, shared: &_| salvage::salvage(conn, shared, &to);
        self.handle.readers.read_aside(copy).await
    }

    async fn close(&self) -> Result<(), StoreFailure> {
        self.handle.close().await
    }
}
