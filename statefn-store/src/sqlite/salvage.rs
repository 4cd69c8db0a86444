//! Copying what is sound out of a damaged store into a new one.

use std::path::Path;

use rusqlite::Connection;

use super::append::Appender;
use super::audit::Audit;
use super::connection;
use super::failure::{ReadError, SqliteError};
use super::file::Place;
use super::head::EntityHead;
use super::heads::HeadMap;
use super::load::stored_snapshot;
use super::log;
use super::number::{from_sql, to_sql};
use super::outbox;
use super::row::{ENTRY, Header};
use super::schema::{self, Meta};
use super::shared::Shared;
use super::target::Target;
use super::timers;
use super::verify::go_on;
use crate::{FailureKind, Offset, OutboxNumber, PersistenceId, StoreReport};

/// Entries read in one statement and written in one transaction.
const CHUNK: u64 = 4_096;

/// Copies every sound entry, in order, with new offsets.
///
/// Sequence numbers stay. An entity that has lost an event keeps the gap: its load says which event
/// is missing until an operator leaves it out for good. Nothing is smoothed over.
pub(super) fn salvage(
    conn: &Connection,
    shared: &Shared,
    to: &Path,
) -> Result<StoreReport, ReadError> {
    let target = Target::reserve(to).map_err(SqliteError::from)?;
    let place = Place {
        path: target.partial.to_path_buf(),
        exists: true,
    };
    let new =
        connection::writer(&place).map_err(|error| SqliteError::from(error.into_failure()))?;
    let report = Salvage {
        old: conn,
        new: &new,
        shared,
        audit: Audit::new(0),
        heads: HeadMap::default(),
        last: 0,
        calls: 0,
        keeps_calls: schema::keeps_calls(conn)?,
    }
    .run()?;
    log::truncate(&new)?;
    new.close().map_err(|(_, error)| SqliteError::from(error))?;
    target.complete().map_err(SqliteError::from)?;
    Ok(report)
}

struct Salvage<'c> {
    old: &'c Connection,
    new: &'c Connection,
    shared: &'c Shared,
    audit: Audit,
    /// Heads in the new store.
    heads: HeadMap,
    /// The last offset in the new store.
    last: u64,
    /// Stored calls in the new store.
    calls: i64,
    /// Whether the old store can have any.
    keeps_calls: bool,
}

impl Salvage<'_> {
    fn run(mut self) -> Result<StoreReport, ReadError> {
        let end = self.shared.end();
        // The watermark is a number in the file: a wrong one must not keep anybody counting.
        let newest = self.newest()?.unwrap_or(end).min(end);
        let mut from = 1;
        while from <= newest {
            go_on(self.shared)?;
            let to = newest.min(from + CHUNK - 1);
            let tx = self.new.unchecked_transaction()?;
            if let Err(error) = self.range(from, to) {
                only_corrupt(&error)?;
                // The statement met a damaged page: ask for what is left one by one.
                for offset in self.audit.last() + 1..=to {
                    if let Err(error) = self.range(offset, offset) {
                        only_corrupt(&error)?;
                    }
                }
            }
            tx.commit()?;
            from = to + 1;
        }
        self.audit.reach(end + 1);
        self.count_calls()?;
        self.finish()
    }

    /// The offset of the last row; `None` if no page says which it is.
    fn newest(&self) -> Result<Option<u64>, SqliteError> {
        let sql = "SELECT coalesce(max(offset), 0) FROM journal";
        match self.old.query_row(sql, [], |row| row.get(0)) {
            Ok(newest) => Ok(Some(from_sql(newest).unwrap_or(0))),
            Err(error) => only_corrupt(&error.into()).map(|()| None),
        }
    }

    fn range(&mut self, from: u64, to: u64) -> Result<(), SqliteError> {
        let sql =
            format!("SELECT {ENTRY} FROM journal WHERE offset BETWEEN ?1 AND ?2 ORDER BY offset");
        let mut statement = self.old.prepare_cached(&sql)?;
        let mut rows = statement.query([to_sql(from), to_sql(to)])?;
        while let Some(row) = rows.next()? {
            let Some((id, header, body)) = self.audit.entry(row) else {
                continue;
            };
            let mut head = self.heads.get(&id).copied().unwrap_or_default();
            if header.sequence_before() < head.sequence {
                // The audit has noted it.
                continue;
            }
            let mut appender = Appender::new(self.new, self.last);
            let place = (header.kind, header.sequence);
            appender.entry_at(&id, &mut head, place, &body)?;
            self.last = appender.last();
            self.snapshot(&id, &header, &mut head)?;
            self.calls(header.offset)?;
            self.heads.insert(id, head);
        }
        Ok(())
    }

    /// Copies the stored calls that the entry at `old` has sent, under the numbers of its copy.
    fn calls(&mut self, old: u64) -> Result<(), SqliteError> {
        if !self.keeps_calls {
            return Ok(());
        }
        for mut letter in outbox::sent_by(self.old, old)? {
            letter.effect.number = self.renumbered(letter.effect.number);
            letter.store(self.new)?;
            self.calls += 1;
        }
        for mut timer in timers::set_by(self.old, old)? {
            timer.number = self.renumbered(timer.number);
            timers::store(self.new, &timer)?;
            self.calls += 1;
        }
        Ok(())
    }

    fn renumbered(&self, number: OutboxNumber) -> OutboxNumber {
        let index = number.get() % u64::from(OutboxNumber::PER_MEMBER);
        OutboxNumber::of(Offset::new(self.last), u16::try_from(index).unwrap_or(0))
    }

    fn snapshot(
        &self,
        id: &PersistenceId,
        header: &Header<'_>,
        head: &mut EntityHead,
    ) -> Result<(), SqliteError> {
        let sql = "SELECT 1 FROM snapshots WHERE offset = ?1";
        let offset = header.offset;
        if !self.old.prepare_cached(sql)?.exists([to_sql(offset)])? {
            return Ok(());
        }
        let stored = match stored_snapshot(self.old, id, offset) {
            Ok(stored) => stored,
            Err(ReadError::Sqlite(error)) => return Err(error),
            Err(ReadError::Damaged { .. }) => None,
        };
        if let Some((sequence, snapshot)) = stored
            && sequence == header.sequence
        {
            Appender::new(self.new, self.last).snapshot(id, head, &snapshot)?;
        }
        Ok(())
    }

    /// Notes stored calls that are damaged, or whose entry is.
    fn count_calls(&mut self) -> Result<(), SqliteError> {
        if !self.keeps_calls {
            return Ok(());
        }
        let sql = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM timers)";
        let counted: rusqlite::Result<i64> = self.old.query_row(sql, [], |row| row.get(0));
        match counted.map_err(SqliteError::from) {
            Ok(count) if count > self.calls => {
                let left = count - self.calls;
                let what = format!(
                    "{left} effects or timers are left behind: they, or the \
                                    entries that sent them, are damaged"
                );
                self.audit.fault(None, 0, what);
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(error) => {
                only_corrupt(&error)?;
                self.audit
                    .fault(None, 0, format!("the stored calls: {error}"));
                Ok(())
            }
        }
    }

    /// Writes the heads and takes over the epoch, so that earlier owners stay fenced.
    fn finish(self) -> Result<StoreReport, ReadError> {
        let epoch = match Meta::read(self.old) {
            Ok(meta) => meta.epoch,
            Err(error) if error.kind() == FailureKind::Corrupt => 0,
            Err(error) => return Err(error.into()),
        };
        let mut heads: Vec<(&PersistenceId, &EntityHead)> = self.heads.iter().collect();
        heads.sort_unstable_by_key(|(id, _)| *id);
        let tx = self.new.unchecked_transaction()?;
        for (id, head) in heads {
            head.store(&tx, id)?;
        }
        let watermark = self.last;
        Meta { epoch, watermark }.write(&tx)?;
        let snapshots: i64 =
            tx.query_row("SELECT count(*) FROM snapshots", [], |row| row.get(0))?;
        tx.commit()?;
        Ok(StoreReport {
            entities: self.heads.len() as u64,
            entries: self.last,
            snapshots: snapshots.unsigned_abs(),
            faults: self.audit.faults(),
        })
    }
}

/// Damage is what a salvage is for; any other failure ends it.
fn only_corrupt(error: &SqliteError) -> Result<(), SqliteError> {
    if error.kind() == FailureKind::Corrupt {
        Ok(())
    } else {
        Err(error.clone())
    }
}
