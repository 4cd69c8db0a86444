//! Erasing what an entity's entries before its newest deletion say: the rows stay, as markers.

use rusqlite::{Connection, params};

use super::failure::{ReadError, SqliteError};
use super::head::EntityHead;
use super::number::to_sql;
use super::row::{Body, Damage, ENTRY_AT, Header, RecordColumns};
use crate::{OwnerEpoch, PersistenceId, Timestamp};

/// An erasure under way: one transaction takes a stretch of the chain.
#[derive(Clone, Debug)]
pub(super) struct Erasure {
    pub(super) epoch: OwnerEpoch,
    pub(super) id: PersistenceId,
    pub(super) records_from: Timestamp,
    /// The next entry to erase; the newest deletion is looked for when it is not known yet.
    pub(super) at: Option<u64>,
}

/// What a transaction has come to.
pub(super) enum Erased {
    /// So many entries; the rest begins at `next`, which is 0 when nothing is left.
    Part { count: u64, next: u64 },
    /// Another owner has the store.
    Fenced { current: OwnerEpoch },
    /// The chain cannot be followed.
    Damaged(ReadError),
}

impl Erasure {
    /// Erases up to `limit` entries, inside the caller's transaction. `head` is the entity's.
    pub(super) fn part(
        &self,
        conn: &Connection,
        head: &EntityHead,
        limit: usize,
    ) -> Result<Erased, SqliteError> {
        let part = self.at.map_or_else(|| self.before_deletion(conn, head), Ok);
        match part.and_then(|at| self.stretch(conn, at, limit)) {
            Ok(part) => Ok(part),
            Err(ReadError::Sqlite(error)) => Err(error),
            Err(damaged) => Ok(Erased::Damaged(damaged)),
        }
    }

    /// The entry before the newest deletion; 0 if there is none.
    fn before_deletion(&self, conn: &Connection, head: &EntityHead) -> Result<u64, ReadError> {
        let mut at = head.position;
        while at != 0 {
            let (previous, found) = self.row(conn, at, |header, _| {
                Ok((header.previous, header.kind.is_deletion()))
            })?;
            at = previous;
            if found {
                break;
            }
        }
        Ok(at)
    }

    fn stretch(&self, conn: &Connection, mut at: u64, limit: usize) -> Result<Erased, ReadError> {
        let mut count = 0;
        for _ in 0..limit {
            if at == 0 {
                break;
            }
            let (previous, marker) = self.row(conn, at, |header, body| {
                Ok((header.previous, self.marker(header, body)))
            })?;
            if let Some(marker) = marker {
                marker.store(conn).map_err(SqliteError::from)?;
                count += 1;
            }
            at = previous;
        }
        Ok(Erased::Part { count, next: at })
    }

    fn row<T>(
        &self,
        conn: &Connection,
        at: u64,
        read: impl FnOnce(&Header<'_>, Result<Body<'_>, Damage>) -> Result<T, Damage>,
    ) -> Result<T, ReadError> {
        let damaged = |Damage(what)| ReadError::damaged(at, 0, what);
        let mut statement = conn.prepare_cached(&ENTRY_AT)?;
        let mut rows = statement.query([to_sql(at)])?;
        let Some(row) = rows.next()? else {
            return Err(damaged(Damage("it is missing")));
        };
        let header = Header::of(row, &self.id)
            .and_then(|header| header.ok_or(Damage("it belongs to another entity")))
            .map_err(damaged)?;
        read(&header, Body::read(row, &header)).map_err(damaged)
    }

    /// What is to stand in the place of an entry; `None` if it stands there already. A damaged body
    /// goes like any other.
    fn marker(&self, header: &Header<'_>, body: Result<Body<'_>, Damage>) -> Option<Marker> {
        let kind = header.kind.erased();
        let body = body.ok();
        let time = body.map_or(0, |body| body.time);
        let record = body.and_then(|body| body.record);
        let kept = record.filter(|_| time >= self.records_from.as_millis());
        let is_done = header.kind == kind
            && body.is_some_and(|body| {
                body.metadata.is_empty()
                    && record.is_some() == kept.is_some()
                    && record.is_none_or(|record| record.outcome.is_empty())
            });
        if is_done {
            return None;
        }
        let kept = kept.map(|record| RecordColumns {
            outcome: &[],
            ..record
        });
        let header_sum = Header { kind, ..*header }.sum();
        let body = Body {
            time,
            record: kept,
            ..Body::default()
        };
        Some(Marker {
            offset: header.offset,
            kind: kind as u8,
            header_sum,
            time,
            record: kept.map(|record| (record.key.to_owned(), record.fingerprint)),
            body_sum: body.sum(header_sum),
        })
    }
}

/// A row as it is from now on.
struct Marker {
    offset: u64,
    kind: u8,
    header_sum: i64,
    time: i64,
    record: Option<(String, u128)>,
    body_sum: i64,
}

impl Marker {
    fn store(&self, conn: &Connection) -> rusqlite::Result<()> {
        let sql = "UPDATE journal SET kind = ?2, header_sum = ?3, time = ?4, name = NULL, \
                   version = NULL, codec = NULL, metadata = NULL, payload = NULL, \
                   record_key = ?5, record_fingerprint = ?6, record_outcome = ?7, skips = NULL, \
                   reason = NULL, body_sum = ?8 WHERE offset = ?1";
        let record = self.record.as_ref();
        conn.prepare_cached(sql)?.execute(params![
            to_sql(self.offset),
            self.kind,
            self.header_sum,
            self.time,
            record.map(|(key, _)| key),
            record.map(|(_, fingerprint)| fingerprint.to_be_bytes()),
            record.map(|_| [].as_slice()),
            self.body_sum,
        ])?;
        Ok(())
    }
}
