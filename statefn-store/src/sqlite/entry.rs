//! One entry of an entity, read and verified, and the event in it.

use rusqlite::Connection;

use super::failure::ReadError;
use super::number::to_sql;
use super::row::{Body, Damage, ENTRY_AT, EventColumns, Header};
use crate::{EventRef, Offset, PersistenceId, SequenceNumber, StateBytes, StateRef, Timestamp};

/// Where a replay of events begins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Start {
    /// The entry that the snapshot covers last; 0 without one.
    pub(super) offset: u64,
    /// Its sequence number.
    pub(super) sequence: u64,
}

/// Reads and verifies one entry of an entity.
pub(super) fn entry_at<T>(
    conn: &Connection,
    id: &PersistenceId,
    offset: u64,
    read: impl FnOnce(&Header<'_>, &Body<'_>) -> Result<T, Damage>,
) -> Result<T, ReadError> {
    let damaged = |sequence, Damage(what)| ReadError::damaged(offset, sequence, what);
    let mut statement = conn.prepare_cached(&ENTRY_AT)?;
    let mut rows = statement.query([to_sql(offset)])?;
    let Some(row) = rows.next()? else {
        return Err(damaged(0, Damage("it is missing")));
    };
    let header = Header::of(row, id)
        .and_then(|header| header.ok_or(Damage("it belongs to another entity")))
        .map_err(|damage| damaged(0, damage))?;
    let sequence = header.sequence;
    Body::read(row, &header)
        .and_then(|body| read(&header, &body))
        .map_err(|damage| damaged(sequence, damage))
}

/// The whole state or the deletion of an entry, in the words of the contract.
pub(super) fn state<'a>(
    header: &Header<'_>,
    body: &Body<'a>,
) -> Result<Option<StateRef<'a>>, Damage> {
    if !header.kind.is_whole() {
        return Ok(None);
    }
    Ok(Some(StateRef {
        offset: Offset::new(header.offset),
        sequence: SequenceNumber::new(header.sequence),
        time: Timestamp::from_millis(body.time),
        metadata: body.metadata,
        state: body.event.as_ref().map(state_bytes).transpose()?,
    }))
}

/// A state as it is stored.
pub(super) fn state_bytes<'a>(columns: &EventColumns<'a>) -> Result<StateBytes<'a>, Damage> {
    let shape = u128::from_str_radix(columns.name, 16);
    Ok(StateBytes {
        shape: shape.map_err(|_| Damage("its shape is no number"))?,
        version: columns.version,
        codec: columns.codec,
        payload: columns.payload,
    })
}

/// The event of an entry, in the words of the contract.
pub(super) fn event<'a>(header: &Header<'_>, body: &Body<'a>) -> Option<EventRef<'a>> {
    let event = body.event.filter(|_| header.kind.is_event())?;
    Some(EventRef {
        offset: Offset::new(header.offset),
        sequence: SequenceNumber::new(header.sequence),
        time: Timestamp::from_millis(body.time),
        name: event.name,
        version: event.version,
        codec: event.codec,
        metadata: body.metadata,
        payload: event.payload,
    })
}
