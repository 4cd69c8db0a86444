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
use super::row::{ENTRY, Header};
use super::schema::Meta;
use super::shared::Shared;
use super::target::Target;
use super::verify::go_on;
use crate::{FailureKind, PersistenceId, StoreReport};

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
        path: target.partial.clone(),
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
            self.heads.insert(id, head);
        }
        Ok(())
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
