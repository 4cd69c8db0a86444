//! Replay of an entity that owns most of a stretch of the journal: one forward read of the range.

use rusqlite::Connection;

use super::entry::{Start, event, state};
use super::failure::ReadError;
use super::head::EntityHead;
use super::number::to_sql;
use super::row::{Body, Damage, ENTRY, Header};
use crate::{PersistenceId, Replay};

/// Hands over the state and the events from `first` to the head. The chain is checked on the way: each entry must
/// name the one that was seen before it, and the last one must be the head.
pub(super) fn replay(
    conn: &Connection,
    id: &PersistenceId,
    head: &EntityHead,
    after: Start,
    first: u64,
    replay: &mut dyn Replay,
) -> Result<(), ReadError> {
    let sql = format!("SELECT {ENTRY} FROM journal WHERE offset BETWEEN ?1 AND ?2 ORDER BY offset");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([to_sql(first), to_sql(head.position)])?;
    let mut last = after;
    while let Some(row) = rows.next()? {
        let next = last.sequence + 1;
        let place = |Damage(what)| {
            let offset = super::row::number(row, 0).unwrap_or(0);
            ReadError::damaged(offset, next, what)
        };
        let Some(header) = Header::of(row, id).map_err(place)? else {
            continue;
        };
        if header.previous != last.offset {
            return Err(missing(header.previous, last.sequence + 1));
        }
        if header.sequence_before() != last.sequence {
            return Err(missing(header.offset, last.sequence + 1));
        }
        let body = Body::read(row, &header).map_err(place)?;
        last = Start {
            offset: header.offset,
            sequence: header.sequence,
        };
        if header.kind.is_erased() {
            return Err(place(Damage("it was erased")));
        }
        if let Some(state) = state(&header, &body).map_err(place)?
            && replay.state(state).is_break()
        {
            return Ok(());
        }
        if let Some(event) = event(&header, &body)
            && replay.event(event).is_break()
        {
            return Ok(());
        }
    }
    if last.offset == head.position && last.sequence == head.sequence {
        Ok(())
    } else {
        Err(missing(head.position, last.sequence + 1))
    }
}

fn missing(offset: u64, sequence: u64) -> ReadError {
    ReadError::damaged(offset, sequence, "it is missing from the chain")
}
