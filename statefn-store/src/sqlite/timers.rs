//! The table of timers.

use rusqlite::{Connection, Row, params};

use super::checksum::Checksum;
use super::failure::{ReadError, SqliteError};
use super::number::to_sql;
use super::row::{Damage, bytes, number, signed, text};
use super::schema::keeps_calls;
use super::shared::Shared;
use super::stored_call::{self, CALL};
use crate::{Offset, OutboxNumber, PersistenceId, Timer, Timestamp};

const TIMER: &str = "number, name, due, wake, schedule, sum";

fn read(row: &Row<'_>) -> Result<Timer, Damage> {
    let (owner, call) = stored_call::read(row, 6)?;
    let timer = Timer {
        number: OutboxNumber::new(number(row, 0)?),
        owner,
        name: text(row, 1)?.to_owned(),
        due: Timestamp::from_millis(signed(row, 2)?),
        wake: Timestamp::from_millis(signed(row, 3)?),
        schedule: bytes(row, 4)?.to_vec(),
        call,
    };
    if sum(&timer) == signed(row, 5)? {
        Ok(timer)
    } else {
        Err(Damage("it contradicts the checksum"))
    }
}

fn sum(timer: &Timer) -> i64 {
    let mut sum = Checksum::of([
        timer.number.get(),
        timer.due.as_millis().cast_unsigned(),
        timer.wake.as_millis().cast_unsigned(),
    ]);
    sum.field(timer.name.as_bytes()).field(&timer.schedule);
    stored_call::sum(&mut sum, &timer.owner, &timer.call);
    sum.stored()
}

/// Writes a timer, in place of one of its number.
pub(super) fn store(conn: &Connection, timer: &Timer) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO timers (number, name, due, wake, schedule, sum, type, id, \
               target_type, target_id, command, codec, arguments, metadata, hops) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    let call = &timer.call;
    conn.prepare_cached(sql)?.execute(params![
        to_sql(timer.number.get()),
        timer.name,
        timer.due.as_millis(),
        timer.wake.as_millis(),
        timer.schedule,
        sum(timer),
        timer.owner.entity_type().as_str(),
        timer.owner.id(),
        call.target.entity_type().as_str(),
        call.target.id(),
        call.command,
        call.codec,
        call.arguments,
        (!call.metadata.is_empty()).then_some(&call.metadata),
        call.hops,
    ])?;
    Ok(())
}

/// The timer that waits for this firing; `None` also for one that is damaged.
pub(super) fn waiting(
    conn: &Connection,
    number: OutboxNumber,
    due: Timestamp,
) -> rusqlite::Result<Option<Timer>> {
    let sql = format!("SELECT {TIMER}, {CALL} FROM timers WHERE number = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([to_sql(number.get())])?;
    let timer = rows.next()?.and_then(|row| read(row).ok());
    Ok(timer.filter(|timer| timer.due == due))
}

/// Removes a timer.
pub(super) fn remove(conn: &Connection, number: OutboxNumber) -> rusqlite::Result<()> {
    let sql = "DELETE FROM timers WHERE number = ?1";
    conn.prepare_cached(sql)?.execute([to_sql(number.get())])?;
    Ok(())
}

/// Removes the timer of this name.
pub(super) fn cancel(conn: &Connection, owner: &PersistenceId, name: &str) -> rusqlite::Result<()> {
    let sql = "DELETE FROM timers WHERE type = ?1 AND id = ?2 AND name = ?3";
    let names = params![owner.entity_type().as_str(), owner.id(), name];
    conn.prepare_cached(sql)?.execute(names)?;
    Ok(())
}

/// Removes all timers of an entity.
pub(super) fn cancel_all(conn: &Connection, owner: &PersistenceId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM timers WHERE type = ?1 AND id = ?2";
    let names = params![owner.entity_type().as_str(), owner.id()];
    conn.prepare_cached(sql)?.execute(names)?;
    Ok(())
}

/// The first timers to look at.
pub(super) fn timers(
    conn: &Connection,
    shared: &Shared,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<Timer>, ReadError> {
    if !keeps_calls(conn)? {
        return Ok(Vec::new());
    }
    let end = Offset::new(shared.end());
    let sql = format!("SELECT {TIMER}, {CALL} FROM timers WHERE wake <= ?1 ORDER BY wake, number");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([until.as_millis()])?;
    let mut timers = Vec::new();
    while timers.len() < limit
        && let Some(row) = rows.next()?
    {
        match read(row) {
            // A commit beyond the published end may not be confirmed yet.
            Ok(timer) if timer.number.offset() > end => {}
            Ok(timer) => timers.push(timer),
            Err(Damage(what)) => {
                let number = number(row, 0).unwrap_or(0);
                tracing::error!(number, what, "a timer is left out");
            }
        }
    }
    Ok(timers)
}

/// The sound timers with numbers of the entry at `offset`.
pub(super) fn set_by(conn: &Connection, offset: u64) -> Result<Vec<Timer>, SqliteError> {
    let sql = format!(
        "SELECT {TIMER}, {CALL} FROM timers WHERE number BETWEEN ?1 AND ?2 ORDER BY number"
    );
    let first = OutboxNumber::of(Offset::new(offset), 0);
    let last = OutboxNumber::of(Offset::new(offset), OutboxNumber::PER_MEMBER - 1);
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([to_sql(first.get()), to_sql(last.get())])?;
    let mut timers = Vec::new();
    while let Some(row) = rows.next()? {
        timers.extend(read(row).ok());
    }
    Ok(timers)
}

/// Checks every row; `fault` hears what is wrong.
pub(super) fn check(conn: &Connection, mut fault: impl FnMut(String)) -> Result<(), SqliteError> {
    let sql = format!("SELECT {TIMER}, {CALL} FROM timers ORDER BY number");
    let mut statement = conn.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Err(Damage(what)) = read(row) {
            let number = number(row, 0).unwrap_or(0);
            fault(format!("timer {number}: {what}"));
        }
    }
    Ok(())
}
