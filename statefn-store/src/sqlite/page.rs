//! Pages of entries, by offset.

use rusqlite::Connection;

use super::entry::state_bytes;
use super::failure::ReadError;
use super::kind::Kind;
use super::limits::PAGE_PAYLOAD_BYTES;
use super::number::to_sql;
use super::row::{Body, Damage, ENTRY, Header, number};
use super::shared::Shared;
use crate::{
    Entry, EntryBody, NewEvent, Offset, PersistenceId, SequenceNumber, StoredRecord, Timestamp,
};

/// Up to `limit` entries from `from` on; ends early before a damaged one and after enough bytes.
pub(super) fn read(
    conn: &Connection,
    shared: &Shared,
    from: u64,
    limit: usize,
) -> Result<Vec<Entry>, ReadError> {
    let mut entries = Vec::new();
    let mut expected = from.max(1);
    // Entries beyond the published end may not be confirmed yet.
    let end = shared.end();
    if limit == 0 || expected > end {
        return Ok(entries);
    }
    let sql = format!("SELECT {ENTRY} FROM journal WHERE offset BETWEEN ?1 AND ?2 ORDER BY offset");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([to_sql(expected), to_sql(end)])?;
    let mut bytes = 0;
    while entries.len() < limit && bytes < PAGE_PAYLOAD_BYTES && expected <= end {
        let read = match rows.next()? {
            Some(row) => entry(row, expected),
            None => Err(ReadError::damaged(expected, 0, "it is missing")),
        };
        match read {
            Ok(entry) => {
                bytes += size(&entry);
                entries.push(entry);
            }
            Err(damage) if entries.is_empty() => return Err(damage),
            Err(_) => break,
        }
        expected += 1;
    }
    Ok(entries)
}

/// Reads and verifies the entry that must be the one at `expected`.
pub(super) fn entry(row: &rusqlite::Row<'_>, expected: u64) -> Result<Entry, ReadError> {
    let damaged = |sequence, Damage(what)| ReadError::damaged(expected, sequence, what);
    if number(row, 0) != Ok(expected) {
        return Err(damaged(0, Damage("it is missing")));
    }
    let header = Header::read(row).map_err(|damage| damaged(0, damage))?;
    let sequence = header.sequence;
    let body = Body::read(row, &header).map_err(|damage| damaged(sequence, damage))?;
    let content =
        content(&header, &body).ok_or_else(|| damaged(sequence, Damage("it says nothing")))?;
    Ok(Entry {
        offset: Offset::new(expected),
        id: PersistenceId::new(header.entity_type.to_owned(), header.id),
        sequence: SequenceNumber::new(sequence),
        time: Timestamp::from_millis(body.time),
        metadata: body.metadata.to_vec(),
        body: content,
    })
}

fn content(header: &Header<'_>, body: &Body<'_>) -> Option<EntryBody> {
    let record = body.record.map(|record| StoredRecord {
        key: record.key.to_owned(),
        fingerprint: record.fingerprint,
        outcome: record.outcome.to_vec(),
        time: Timestamp::from_millis(body.time),
        offset: Offset::new(header.offset),
    });
    if header.kind.is_erased() {
        return Some(EntryBody::Erased { record });
    }
    if header.kind.is_deletion() {
        return Some(EntryBody::Deleted { record });
    }
    if let Some(state) = body.event.filter(|_| header.kind.is_state()) {
        let state = state_bytes(&state).ok()?.to_owned();
        return Some(EntryBody::State { state, record });
    }
    if let Some(event) = &body.event {
        let event = NewEvent {
            name: event.name.to_owned().into(),
            version: event.version,
            codec: event.codec,
            payload: event.payload.to_vec(),
        };
        return Some(EntryBody::Event { event, record });
    }
    if let Some(skip) = &body.skip {
        return Some(EntryBody::Skip {
            sequence: SequenceNumber::new(skip.sequence),
            reason: skip.reason.to_owned(),
        });
    }
    if header.kind == Kind::Sent {
        return Some(EntryBody::Sent);
    }
    record.map(EntryBody::Record)
}

fn size(entry: &Entry) -> usize {
    let body = match &entry.body {
        EntryBody::Event { event, .. } => event.payload.len(),
        EntryBody::State { state, .. } => state.payload.len(),
        _ => 0,
    };
    let outcome = entry.body.record().map_or(0, |record| record.outcome.len());
    body + outcome + entry.metadata.len() + size_of::<Entry>()
}
