//! The synchronous core: one connection, one transaction for several batches, heads that change
//! only after COMMIT.

use std::sync::Arc;

use rusqlite::Connection;

use super::deferred;
use super::erase::{Erased, Erasure};
use super::failure::SqliteError;
use super::heads::{HeadCache, HeadMap, Unmerged};
use super::limits::FORMAT;
use super::log::{self, Log};
use super::merge::{Merge, Step};
use super::projections;
use super::rebuild::rebuild;
use super::schema::{self, Meta};
use super::shared::Shared;
use super::stage::{Answer, Stage};
use crate::{Batch, FailureKind, OwnerEpoch, Projected, Projecting, Tending};

/// Everything the writer knows while the database is healthy; dropped as a whole after a failure.
pub(super) struct Journal {
    conn: Connection,
    shared: Arc<Shared>,
    /// The last offset given out by a committed transaction.
    last: u64,
    cache: HeadCache,
    merge: Merge,
    log: Log,
    #[cfg(test)]
    pub(super) fault: Option<super::tests::PlantedFault>,
}

/// A transaction that failed.
#[derive(Debug)]
pub(super) struct TransactionError {
    /// Whether COMMIT had been issued: then nobody knows.
    pub(super) unknown: bool,
    pub(super) error: SqliteError,
}

impl TransactionError {
    fn rolled_back(error: impl Into<SqliteError>) -> Self {
        Self {
            unknown: false,
            error: error.into(),
        }
    }
}

/// What a transaction has changed so far; nobody sees it before COMMIT.
struct Staged {
    heads: HeadMap,
    answers: Vec<Answer>,
    last: u64,
    merged: Step,
}

impl Journal {
    /// Takes over a connection: empties a log that was left over, then rebuilds the heads.
    pub(super) fn start(conn: Connection, shared: Arc<Shared>) -> Result<Self, SqliteError> {
        // A log left behind may hold commits that only the page cache has: the process before may
        // have died of exactly that. What cannot be moved to the disk is not served.
        log::truncate(&conn)?;
        let rebuilt = rebuild(&conn)?;
        if let Some(damage) = &rebuilt.damage {
            tracing::error!(path = %shared.path.display(), %damage, "the store is read-only");
        }
        let mut published = shared.published();
        if rebuilt.last < published.end {
            let (last, end) = (rebuilt.last, published.end);
            let message = format!("it ends at offset {last}, but offset {end} was acknowledged");
            return Err(SqliteError::own(FailureKind::Corrupt, message));
        }
        published.unmerged = Unmerged {
            filling: rebuilt.heads,
            merging: Arc::default(),
        };
        published.end = rebuilt.last;
        published.read_only = rebuilt.damage;
        let is_writable = published.read_only.is_none();
        drop(published);
        if is_writable {
            schema::upgrade(&conn)?;
        }
        Ok(Self {
            conn,
            shared,
            last: rebuilt.last,
            cache: HeadCache::default(),
            merge: Merge::after(rebuilt.watermark),
            log: Log::default(),
            #[cfg(test)]
            fault: None,
        })
    }

    /// Raises the epoch.
    pub(super) fn claim(&mut self) -> Result<OwnerEpoch, TransactionError> {
        self.begin()?;
        let written = Meta::read(&self.conn).and_then(|meta| {
            let epoch = meta.epoch + 1;
            Meta { epoch, ..meta }.write(&self.conn)?;
            Ok(epoch)
        });
        let epoch = self.rolled_back(written)?;
        self.commit_transaction()?;
        self.after_commit()?;
        Ok(OwnerEpoch::new(epoch))
    }

    /// Erases a stretch of an entity's chain.
    pub(super) fn erase(&mut self, erasure: &Erasure) -> Result<Erased, TransactionError> {
        // What the rows no longer need is overwritten too, not only given back.
        let secure = |conn: &Connection, how: &str| {
            let set = conn.pragma_update(None, "secure_delete", how);
            set.map_err(TransactionError::rolled_back)
        };
        secure(&self.conn, "on")?;
        self.begin()?;
        let erased = self.stage_erasure(erasure);
        let erased = self.rolled_back(erased)?;
        self.commit_transaction()?;
        secure(&self.conn, "fast")?;
        Ok(erased)
    }

    fn stage_erasure(&mut self, erasure: &Erasure) -> Result<Erased, SqliteError> {
        let epoch = Meta::read(&self.conn)?.epoch;
        if erasure.epoch.get() != epoch {
            let current = OwnerEpoch::new(epoch);
            return Ok(Erased::Fenced { current });
        }
        let mut stage = Stage::new(&self.conn, &self.shared, &mut self.cache, self.last);
        let head = stage.head(&erasure.id)?.unwrap_or_default();
        let limit = self.shared.tuning.erased_at_once;
        erasure.part(&self.conn, &head, limit)
    }

    /// Commits a page as it is, after a failure: the sync of that also keeps that the log was
    /// emptied, so that no commit which has failed comes back after a power cut.
    pub(super) fn settle(&mut self) -> Result<(), SqliteError> {
        if self.shared.published().read_only.is_some() {
            return Ok(());
        }
        let settled = self.begin().and_then(|()| {
            // Unlike a row, a number in the header is written also if it stays the same.
            let written = self.conn.pragma_update(None, "user_version", FORMAT);
            self.rolled_back(written.map_err(SqliteError::from))?;
            self.commit_transaction()
        });
        self.log.dirty = true;
        settled.map_err(|failed| failed.error)
    }

    /// The epoch that a claim would take, without taking it.
    pub(super) fn next_epoch(&self) -> Result<OwnerEpoch, SqliteError> {
        match Meta::read(&self.conn) {
            Ok(meta) => Ok(OwnerEpoch::new(meta.epoch + 1)),
            Err(error) if error.kind() == FailureKind::Corrupt => Ok(OwnerEpoch::new(1)),
            Err(error) => Err(error),
        }
    }

    /// Changes stored calls in a transaction of their own, unless an older owner asks; then the
    /// inner error is the newest owner.
    pub(super) fn tend(
        &mut self,
        epoch: OwnerEpoch,
        changes: &[Tending],
    ) -> Result<Result<Vec<bool>, OwnerEpoch>, TransactionError> {
        self.begin()?;
        let tended = Meta::read(&self.conn).and_then(|meta| {
            if meta.epoch != epoch.get() {
                return Ok(Err(OwnerEpoch::new(meta.epoch)));
            }
            let done = changes
                .iter()
                .map(|change| deferred::tend(&self.conn, change))
                .collect::<Result<_, _>>()?;
            Ok(Ok(done))
        });
        let tended = self.rolled_back(tended)?;
        self.commit_transaction()?;
        Ok(tended)
    }

    /// Changes a projection in a transaction of its own; the inner error is as in
    /// [`tend`](Self::tend).
    pub(super) fn project(
        &mut self,
        epoch: OwnerEpoch,
        change: &Projecting,
    ) -> Result<Result<Projected, OwnerEpoch>, TransactionError> {
        self.begin()?;
        let projected = Meta::read(&self.conn).and_then(|meta| {
            if meta.epoch != epoch.get() {
                return Ok(Err(OwnerEpoch::new(meta.epoch)));
            }
            projections::project(&self.conn, change).map(Ok)
        });
        let projected = self.rolled_back(projected)?;
        self.commit_transaction()?;
        Ok(projected)
    }

    /// Commits several batches in one transaction, with an answer for each.
    pub(super) fn commit<'b>(
        &mut self,
        batches: impl Iterator<Item = &'b Batch>,
    ) -> Result<Vec<Answer>, TransactionError> {
        self.merge.begin_if_due(&self.shared);
        self.begin()?;
        let staged = self.stage(batches);
        let staged = self.rolled_back(staged)?;
        self.commit_transaction()?;
        Ok(self.publish(staged))
    }

    /// Moves the log when it is long; a failure poisons, but takes back nothing.
    pub(super) fn after_commit(&mut self) -> Result<(), TransactionError> {
        let moved = self.log.committed(&self.conn, &self.shared.tuning);
        moved.map_err(TransactionError::rolled_back)
    }

    fn begin(&mut self) -> Result<(), TransactionError> {
        let begun = self
            .conn
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute([]));
        begun.map_err(TransactionError::rolled_back)?;
        Ok(())
    }

    /// Rolls back if a step before COMMIT failed.
    fn rolled_back<T>(&self, result: Result<T, SqliteError>) -> Result<T, TransactionError> {
        result.map_err(|error| {
            // SQLite rolls back by itself after most failures; then there is nothing left to do.
            if !self.conn.is_autocommit()
                && let Err(error) = self.conn.execute_batch("ROLLBACK")
            {
                tracing::warn!(%error, "ROLLBACK failed; the connection is dropped");
            }
            TransactionError::rolled_back(error)
        })
    }

    fn commit_transaction(&mut self) -> Result<(), TransactionError> {
        #[cfg(test)]
        if let Some(fault) = self.fault.take() {
            return fault.strike(&self.conn);
        }
        let committed = self
            .conn
            .prepare_cached("COMMIT")
            .and_then(|mut commit| commit.execute([]));
        match committed {
            Ok(_) => Ok(()),
            Err(error) => Err(TransactionError {
                unknown: true,
                error: error.into(),
            }),
        }
    }

    fn stage<'b>(
        &mut self,
        batches: impl Iterator<Item = &'b Batch>,
    ) -> Result<Staged, SqliteError> {
        let meta = Meta::read(&self.conn)?;
        let mut stage = Stage::new(&self.conn, &self.shared, &mut self.cache, self.last);
        let answers = batches
            .map(|batch| stage.batch(batch, meta.epoch))
            .collect::<Result<_, _>>()?;
        let step = self.shared.tuning.merge_step;
        let merged = self.merge.step(&self.conn, stage.entries(), step)?;
        if let Some(watermark) = merged.watermark {
            Meta { watermark, ..meta }.write(&self.conn)?;
        }
        let (heads, last) = stage.finish();
        Ok(Staged {
            heads,
            answers,
            last,
            merged,
        })
    }

    /// COMMIT has succeeded: now, and only now, others may see it.
    fn publish(&mut self, staged: Staged) -> Vec<Answer> {
        for id in staged.heads.keys() {
            self.cache.forget(id);
        }
        self.last = staged.last;
        let mut published = self.shared.published();
        published.unmerged.filling.extend(staged.heads);
        published.end = staged.last;
        self.merge
            .confirm(staged.merged, &mut published, &mut self.cache);
        staged.answers
    }

    /// Nothing to do for a while.
    pub(super) fn idle(&mut self) -> Result<(), SqliteError> {
        self.log.idle(&self.conn)
    }

    /// Whether an idle moment has something to do.
    pub(super) fn wants_idle(&self) -> bool {
        self.log.dirty
    }

    /// Merges every head and empties the log: the next start has nothing to rebuild.
    pub(super) fn close(mut self) -> Result<(), SqliteError> {
        if self.shared.published().read_only.is_none() {
            // What is being merged first, then what was gathered meanwhile.
            for _ in 0..2 {
                self.merge.begin(&mut self.shared.published());
                self.merge.finish_sorting();
                while self.merge.is_under_way() {
                    self.commit(std::iter::empty())
                        .map_err(|failed| failed.error)?;
                }
            }
        }
        log::truncate(&self.conn)?;
        self.conn.close().map_err(|(_, error)| error.into())
    }

    /// For tests that arrange faults on the writing connection itself.
    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.conn
    }
}
