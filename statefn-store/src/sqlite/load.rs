//! Recovery of one entity: records, snapshot, events, in the order of the contract, and in parts if
//! it is long.

use rusqlite::{Connection, OptionalExtension};

use super::append::snapshot_sum;
use super::chain::{self, Chain};
use super::connections::Lent;
use super::dense;
use super::entry::{Start, entry_at};
use super::failure::ReadError;
use super::head::EntityHead;
use super::limits::DENSE_SPAN;
use super::number::to_sql;
use super::rebuild::scan;
use super::row::{Body, Damage, Header, RecordColumns, bytes, number, signed};
use super::shared::Shared;
use crate::{
    Loaded, NewSnapshot, Offset, PersistenceId, RecordRef, Replay, SnapshotRef, StoredRecord,
    Timestamp,
};

/// A load under way, in one read transaction: it can pause and go on in another thread.
pub(super) struct Load {
    id: PersistenceId,
    head: EntityHead,
    stage: Stage,
    replay: Box<dyn Replay>,
}

/// What comes next.
enum Stage {
    Head,
    /// Records from this entry back.
    Records(u64),
    Snapshot,
    Events(Start),
    /// Events that lie apart.
    Chain(Box<Chain>),
    End,
}

/// How far a load has come.
pub(super) enum Progress {
    Complete,
    /// It has read as many entries as it may for now.
    Paused,
}

impl Load {
    /// A load of `id` that has not begun.
    pub(super) fn new(id: PersistenceId, replay: Box<dyn Replay>) -> Self {
        Self {
            id,
            head: EntityHead::default(),
            stage: Stage::Head,
            replay,
        }
    }

    /// Reads about `budget` entries at most. A load that has paused goes on with the same
    /// connection; one that has failed has ended.
    pub(super) fn go_on(
        &mut self,
        conn: &Connection,
        shared: &Shared,
        mut budget: u64,
    ) -> Result<Progress, ReadError> {
        loop {
            self.stage = match std::mem::replace(&mut self.stage, Stage::End) {
                Stage::Head => self.begin(conn, shared)?,
                Stage::Records(0) => Stage::Snapshot,
                Stage::Records(at) => Stage::Records(self.records(conn, at, &mut budget)?),
                Stage::Snapshot => {
                    Stage::Events(snapshot(conn, &self.id, &self.head, &mut *self.replay)?)
                }
                Stage::Events(after) => self.events(conn, after, &mut budget)?,
                Stage::Chain(mut chain) => {
                    if chain.walk(conn, &self.id, &mut budget)? {
                        chain.replay(conn, &self.id, &mut *self.replay)?;
                        Stage::End
                    } else {
                        Stage::Chain(chain)
                    }
                }
                Stage::End => {
                    conn.prepare_cached("COMMIT")?.execute([])?;
                    return Ok(Progress::Complete);
                }
            };
            if budget == 0 && !matches!(self.stage, Stage::End) {
                return Ok(Progress::Paused);
            }
        }
    }

    /// Goes on to the end.
    pub(super) fn complete(mut self, lent: Lent, shared: &Shared) -> Result<Loaded, ReadError> {
        let result = self.go_on(&lent.conn, shared, u64::MAX);
        lent.settle(&result);
        result.map(|_| self.loaded())
    }

    /// What a complete load has found.
    pub(super) fn loaded(self) -> Loaded {
        Loaded {
            head: self.head.public(),
            replay: self.replay,
        }
    }

    fn begin(&mut self, conn: &Connection, shared: &Shared) -> Result<Stage, ReadError> {
        // The map first, the transaction second: see `Shared::unmerged`.
        let unmerged = shared.unmerged(&self.id);
        conn.prepare_cached("BEGIN")?.execute([])?;
        self.head = head(conn, &self.id, unmerged)?;
        Ok(if self.head.position == 0 {
            Stage::End
        } else {
            Stage::Records(self.head.record)
        })
    }

    /// Hands over records, newest first. Answers where the next one is.
    fn records(
        &mut self,
        conn: &Connection,
        mut at: u64,
        budget: &mut u64,
    ) -> Result<u64, ReadError> {
        while at != 0 && *budget > 0 {
            *budget -= 1;
            at = match record(conn, &self.id, at, &mut *self.replay) {
                Ok(older) => older,
                // An operator left the event out: its record went with it.
                Err(damage @ ReadError::Damaged { .. }) => {
                    chain::record_before_skipped(conn, &self.id, &self.head, at)?.ok_or(damage)?
                }
                Err(error) => return Err(error),
            };
        }
        Ok(at)
    }

    fn events(
        &mut self,
        conn: &Connection,
        after: Start,
        budget: &mut u64,
    ) -> Result<Stage, ReadError> {
        let head = &self.head;
        let (first, start) = if after.offset == 0 {
            (head.first, before_first(conn, &self.id, head)?)
        } else {
            (after.offset + 1, after)
        };
        let count = head.sequence.saturating_sub(start.sequence);
        let span = (head.position + 1).saturating_sub(first);
        // A skip is stored behind the event that it leaves out, so it must be known before.
        let no_skips = head.skip <= start.offset;
        if !(no_skips && count > 0 && span / DENSE_SPAN <= count) {
            return Ok(Stage::Chain(Box::new(Chain::new(head, after))));
        }
        let Some(left) = budget.checked_sub(count) else {
            *budget = 0;
            return Ok(Stage::Events(after));
        };
        *budget = left;
        dense::replay(conn, &self.id, head, start, first, &mut *self.replay)?;
        Ok(Stage::End)
    }
}

/// The head of an entity as this transaction sees it.
pub(super) fn head(
    conn: &Connection,
    id: &PersistenceId,
    unmerged: Option<EntityHead>,
) -> Result<EntityHead, ReadError> {
    if let Some(head) = unmerged {
        return Ok(head);
    }
    match EntityHead::stored(conn, id)? {
        None => Ok(EntityHead::default()),
        Some(Ok(head)) => Ok(head),
        Some(Err(_)) => scan(conn, id, u64::MAX),
    }
}

/// What comes before the entry with which the replay begins: more than nothing if that is a state or
/// a deletion.
fn before_first(
    conn: &Connection,
    id: &PersistenceId,
    head: &EntityHead,
) -> Result<Start, ReadError> {
    let first = entry_at(conn, id, head.first, |header, _| {
        Ok(header.kind.is_whole().then(|| Start {
            offset: header.previous,
            sequence: header.sequence_before(),
        }))
    });
    match first {
        Ok(start) => Ok(start.unwrap_or_default()),
        // The replay says what is wrong, if it needs the entry.
        Err(ReadError::Damaged { .. }) => Ok(Start::default()),
        Err(error) => Err(error),
    }
}

/// Offers the newest snapshot if it is readable. Answers where the events begin.
fn snapshot(
    conn: &Connection,
    id: &PersistenceId,
    head: &EntityHead,
    replay: &mut dyn Replay,
) -> Result<Start, ReadError> {
    if head.snapshot == 0 {
        return Ok(Start::default());
    }
    let Some((sequence, snapshot)) = stored_snapshot(conn, id, head.snapshot)? else {
        return Ok(Start::default());
    };
    let accepted = sequence <= head.sequence
        && replay.snapshot(SnapshotRef {
            sequence: crate::SequenceNumber::new(sequence),
            shape: snapshot.shape,
            codec: snapshot.codec,
            payload: &snapshot.payload,
        });
    Ok(if accepted {
        Start {
            offset: head.snapshot,
            sequence,
        }
    } else {
        Start::default()
    })
}

/// A verified snapshot and its sequence number; `None` when it is missing or damaged.
pub(super) fn stored_snapshot(
    conn: &Connection,
    id: &PersistenceId,
    offset: u64,
) -> Result<Option<(u64, NewSnapshot)>, ReadError> {
    let sql = "SELECT sequence, shape, codec, payload, sum FROM snapshots WHERE offset = ?1";
    let found = conn
        .prepare_cached(sql)?
        .query_row([to_sql(offset)], |row| Ok(read_snapshot(row, id, offset)))
        .optional()?;
    let what = match found {
        Some(Ok(snapshot)) => return Ok(Some(snapshot)),
        Some(Err(Damage(what))) => what,
        None => "it is missing",
    };
    tracing::warn!(entity = %id.entity_type(), id = id.id(), offset, what, "snapshot left out");
    Ok(None)
}

/// Reads and verifies the columns sequence, shape, codec, payload, sum.
pub(super) fn read_snapshot(
    row: &rusqlite::Row<'_>,
    id: &PersistenceId,
    offset: u64,
) -> Result<(u64, NewSnapshot), Damage> {
    let sequence = number(row, 0)?;
    let shape = bytes(row, 1)?
        .try_into()
        .map_err(|_| Damage("its shape has another length"))?;
    let snapshot = NewSnapshot {
        shape: u128::from_be_bytes(shape),
        codec: u8::try_from(number(row, 2)?).map_err(|_| Damage("its codec is out of range"))?,
        payload: bytes(row, 3)?.to_vec(),
    };
    if snapshot_sum(id, offset, sequence, &snapshot) == signed(row, 4)? {
        Ok((sequence, snapshot))
    } else {
        Err(Damage("it contradicts the checksum"))
    }
}

/// Hands over the record at `at`. Answers where the one before it is, 0 if there is none or none is
/// wanted.
fn record(
    conn: &Connection,
    id: &PersistenceId,
    at: u64,
    replay: &mut dyn Replay,
) -> Result<u64, ReadError> {
    entry_at(conn, id, at, |header, body| {
        let flow = record_of(header, body)?.map(|record| {
            replay.record(RecordRef {
                key: record.key,
                fingerprint: record.fingerprint,
                time: Timestamp::from_millis(body.time),
                offset: Offset::new(at),
            })
        });
        Ok(if flow.is_some_and(|flow| flow.is_break()) {
            0
        } else {
            header.previous_record
        })
    })
}

/// Finds the newest record under `key` at or before `newest`.
pub(super) fn find_record(
    conn: &Connection,
    shared: &Shared,
    id: &PersistenceId,
    key: &str,
    newest: u64,
) -> Result<Option<StoredRecord>, ReadError> {
    let unmerged = shared.unmerged(id);
    let tx = conn.unchecked_transaction()?;
    let head = head(&tx, id, unmerged)?;
    let mut at = if is_record(&tx, id, newest)? {
        newest
    } else {
        head.record
    };
    let mut found = None;
    while at != 0 && found.is_none() {
        let in_range = at <= newest;
        at = entry_at(&tx, id, at, |header, body| {
            if let Some(record) = record_of(header, body)?
                && in_range
                && record.key == key
            {
                found = Some(StoredRecord {
                    key: key.to_owned(),
                    fingerprint: record.fingerprint,
                    outcome: record.outcome.to_vec(),
                    time: Timestamp::from_millis(body.time),
                    offset: Offset::new(header.offset),
                });
            }
            Ok(header.previous_record)
        })?;
    }
    tx.finish()?;
    Ok(found)
}

/// The record of an entry on the chain of records; none is left of one that was erased.
fn record_of<'a>(
    header: &Header<'_>,
    body: &Body<'a>,
) -> Result<Option<RecordColumns<'a>>, Damage> {
    match body.record {
        None if !header.kind.is_erased() => Err(Damage("it holds no record")),
        record => Ok(record),
    }
}

/// Whether there is an undamaged record of this entity at `offset`.
fn is_record(conn: &Connection, id: &PersistenceId, offset: u64) -> Result<bool, ReadError> {
    match entry_at(conn, id, offset, |_, body| Ok(body.record.is_some())) {
        Ok(is_record) => Ok(is_record),
        Err(ReadError::Damaged { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
