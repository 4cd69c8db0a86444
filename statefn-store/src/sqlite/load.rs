//! Recovery of one entity: records, snapshot, events, in the order of the contract.

use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension};

use super::append::snapshot_sum;
use super::chain::{self, Chain};
use super::dense;
use super::entry::{Start, entry_at};
use super::failure::ReadError;
use super::head::EntityHead;
use super::limits::DENSE_SPAN;
use super::number::to_sql;
use super::rebuild::scan;
use super::row::{Damage, bytes, number, signed};
use super::shared::Shared;
use crate::{
    NewSnapshot, Offset, PersistenceId, RecordRef, Replay, SnapshotRef, StoredRecord, Timestamp,
};

/// Streams an entity into `replay` and returns its head, all from one read transaction.
pub(super) fn load(
    conn: &Connection,
    shared: &Shared,
    id: &PersistenceId,
    replay: &mut dyn Replay,
) -> Result<EntityHead, ReadError> {
    // The map first, the transaction second: see `Shared::unmerged`.
    let unmerged = shared.unmerged(id);
    let tx = conn.unchecked_transaction()?;
    let head = head(&tx, id, unmerged)?;
    if head.position != 0 {
        records(&tx, id, &head, |record| replay.record(record))?;
        let after = snapshot(&tx, id, &head, replay)?;
        events(&tx, id, &head, after, replay)?;
    }
    tx.finish()?;
    Ok(head)
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

fn events(
    conn: &Connection,
    id: &PersistenceId,
    head: &EntityHead,
    after: Start,
    replay: &mut dyn Replay,
) -> Result<(), ReadError> {
    let count = head.sequence.saturating_sub(after.sequence);
    let first = if after.offset == 0 {
        head.first
    } else {
        after.offset + 1
    };
    let span = (head.position + 1).saturating_sub(first);
    // A skip is stored behind the event that it leaves out, so it must be known before.
    let no_skips = head.skip <= after.offset;
    if no_skips && count > 0 && span / DENSE_SPAN <= count {
        return dense::replay(conn, id, head, after, first, replay);
    }
    Chain::walk(conn, id, head, after)?.replay(replay)
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

/// Hands over records, newest first.
fn records(
    conn: &Connection,
    id: &PersistenceId,
    head: &EntityHead,
    mut visit: impl FnMut(RecordRef<'_>) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    let mut at = head.record;
    while at != 0 {
        let read = entry_at(conn, id, at, |header, body| {
            let record = body.record.ok_or(Damage("it holds no record"))?;
            let flow = visit(RecordRef {
                key: record.key,
                fingerprint: record.fingerprint,
                time: Timestamp::from_millis(body.time),
                offset: Offset::new(at),
            });
            Ok((header.previous_record, flow))
        });
        let (older, flow) = match read {
            Ok(read) => read,
            // An operator left the event out: its record went with it.
            Err(damage @ ReadError::Damaged { .. }) => (
                chain::record_before_skipped(conn, id, head, at)?.ok_or(damage)?,
                ControlFlow::Continue(()),
            ),
            Err(error) => return Err(error),
        };
        if flow.is_break() {
            break;
        }
        at = older;
    }
    Ok(())
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
            let record = body.record.ok_or(Damage("it holds no record"))?;
            if in_range && record.key == key {
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

/// Whether there is an undamaged record of this entity at `offset`.
fn is_record(conn: &Connection, id: &PersistenceId, offset: u64) -> Result<bool, ReadError> {
    match entry_at(conn, id, offset, |_, body| Ok(body.record.is_some())) {
        Ok(is_record) => Ok(is_record),
        Err(ReadError::Damaged { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
