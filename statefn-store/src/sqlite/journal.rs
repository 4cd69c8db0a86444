//! The synchronous core: one connection, one transaction for several batches, heads that change
//! only after COMMIT.

use std::collections::HashSet;
use std::sync::Arc;

use rusqlite::Connection;

use super::append::Appender;
use super::failure::{ReadError, SqliteError};
use super::head::EntityHead;
use super::heads::{HeadCache, HeadMap, Unmerged};
use super::log::{self, Log};
use super::merge::{Merge, Step};
use super::rebuild::{rebuild, scan};
use super::schema::Meta;
use super::shared::Shared;
use crate::{
    Batch, FailureKind, Offset, Outcome, OwnerEpoch, PersistenceId, Refusal, SequenceNumber,
};

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

/// What became of a batch in a transaction that committed.
pub(super) enum Answer {
    Outcomes(Vec<Outcome>),
    Fenced { current: OwnerEpoch },
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
        drop(published);
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

    /// The epoch that a claim would take, without taking it.
    pub(super) fn next_epoch(&self) -> Result<OwnerEpoch, SqliteError> {
        match Meta::read(&self.conn) {
            Ok(meta) => Ok(OwnerEpoch::new(meta.epoch + 1)),
            Err(error) if error.kind() == FailureKind::Corrupt => Ok(OwnerEpoch::new(1)),
            Err(error) => Err(error),
        }
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
        let mut staged = Staged {
            heads: HeadMap::default(),
            answers: Vec::new(),
            last: self.last,
            merged: Step::default(),
        };
        for batch in batches {
            let answer = if batch.epoch.get() == meta.epoch {
                Answer::Outcomes(self.stage_batch(batch, &mut staged)?)
            } else {
                let current = OwnerEpoch::new(meta.epoch);
                Answer::Fenced { current }
            };
            staged.answers.push(answer);
        }
        let entries = usize::try_from(staged.last - self.last).unwrap_or(usize::MAX);
        staged.merged = self
            .merge
            .step(&self.conn, entries, self.shared.tuning.merge_step)?;
        if let Some(watermark) = staged.merged.watermark {
            Meta { watermark, ..meta }.write(&self.conn)?;
        }
        Ok(staged)
    }

    fn stage_batch(
        &mut self,
        batch: &Batch,
        staged: &mut Staged,
    ) -> Result<Vec<Outcome>, SqliteError> {
        let mut outcomes = Vec::with_capacity(batch.members.len());
        let mut refused = HashSet::new();
        for member in &batch.members {
            if !refused.is_empty() && refused.contains(&member.id) {
                outcomes.push(Outcome::Refused(Refusal::Overtaken));
                continue;
            }
            let head = match staged.heads.get(&member.id) {
                Some(head) => Some(*head),
                None => self.head(&member.id)?,
            };
            // Judged before anything of the member is written: a conflict costs one member.
            let head = match head {
                Some(head) if head.sequence == member.expected.get() => head,
                head => {
                    // A head that cannot be known matches nothing; the load says what is damaged.
                    let actual = head.map_or(u64::MAX, |head| head.sequence);
                    refused.insert(&member.id);
                    outcomes.push(Outcome::Refused(Refusal::Stale {
                        expected: member.expected,
                        actual: SequenceNumber::new(actual),
                    }));
                    continue;
                }
            };
            let mut appender = Appender::new(&self.conn, staged.last);
            let moved = appender.member(member, head)?;
            staged.last = appender.last();
            if moved != head {
                staged.heads.insert(member.id.clone(), moved);
            }
            let position = Offset::new(moved.position);
            outcomes.push(Outcome::Committed { position });
        }
        Ok(outcomes)
    }

    /// The committed head of an entity; `None` when its chain is damaged.
    fn head(&mut self, id: &PersistenceId) -> Result<Option<EntityHead>, SqliteError> {
        if let Some(head) = self.shared.unmerged(id).or_else(|| self.cache.get(id)) {
            return Ok(Some(head));
        }
        let head = match EntityHead::stored(&self.conn, id)? {
            None => EntityHead::default(),
            Some(Ok(head)) => head,
            Some(Err(_)) => match scan(&self.conn, id, self.last) {
                Ok(head) => head,
                Err(ReadError::Sqlite(error)) => return Err(error),
                Err(ReadError::Damaged { .. }) => return Ok(None),
            },
        };
        self.cache.put(id.clone(), head);
        Ok(Some(head))
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
