//! The outbox: effects that wait, and dead letters.

use rusqlite::{Connection, Row, params};

use super::checksum::Checksum;
use super::failure::{ReadError, SqliteError};
use super::number::to_sql;
use super::row::{Damage, number, signed, text};
use super::schema::keeps_calls;
use super::shared::Shared;
use super::stored_call::{self, CALL, is_null, small};
use crate::{DeadLetter, Effect, Offset, OutboxNumber, Timestamp};

/// A row: an effect that waits, or a dead letter.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) effect: Effect,
    pub(super) attempts: u32,
    /// Why it is dead.
    pub(super) reason: Option<String>,
}

impl From<Effect> for Letter {
    fn from(effect: Effect) -> Self {
        Self {
            effect,
            attempts: 0,
            reason: None,
        }
    }
}

impl Letter {
    /// Reads and verifies the columns `number, time, attempts, reason, sum` and [`CALL`].
    fn read(row: &Row<'_>) -> Result<Self, Damage> {
        let (sender, call) = stored_call::read(row, 5)?;
        let letter = Self {
            effect: Effect {
                number: OutboxNumber::new(number(row, 0)?),
                sender,
                time: Timestamp::from_millis(signed(row, 1)?),
                call,
            },
            attempts: small(row, 2)?,
            reason: if is_null(row, 3)? {
                None
            } else {
                Some(text(row, 3)?.to_owned())
            },
        };
        if letter.sum() == signed(row, 4)? {
            Ok(letter)
        } else {
            Err(Damage("it contradicts the checksum"))
        }
    }

    fn sum(&self) -> i64 {
        let effect = &self.effect;
        let mut sum = Checksum::of([
            effect.number.get(),
            effect.time.as_millis().cast_unsigned(),
            u64::from(self.attempts),
        ]);
        match &self.reason {
            None => sum.number(0),
            Some(reason) => sum.number(1).field(reason.as_bytes()),
        };
        stored_call::sum(&mut sum, &effect.sender, &effect.call);
        sum.stored()
    }

    /// Writes the row, in place of one of its number.
    pub(super) fn store(&self, conn: &Connection) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO outbox (number, time, attempts, reason, sum, type, id, \
                   target_type, target_id, command, codec, arguments, metadata, hops) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
        let Effect {
            number,
            sender,
            time,
            call,
        } = &self.effect;
        conn.prepare_cached(sql)?.execute(params![
            to_sql(number.get()),
            time.as_millis(),
            self.attempts,
            self.reason,
            self.sum(),
            sender.entity_type().as_str(),
            sender.id(),
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
}

/// Whether an effect of this number waits.
pub(super) fn waits(conn: &Connection, number: OutboxNumber) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM outbox WHERE number = ?1 AND reason IS NULL";
    conn.prepare_cached(sql)?.exists([to_sql(number.get())])
}

/// The row of this number; `None` also for one that is damaged.
pub(super) fn letter(conn: &Connection, number: OutboxNumber) -> rusqlite::Result<Option<Letter>> {
    let sql =
        format!("SELECT number, time, attempts, reason, sum, {CALL} FROM outbox WHERE number = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([to_sql(number.get())])?;
    Ok(rows.next()?.and_then(|row| Letter::read(row).ok()))
}

/// Removes a row. Whether there was one.
pub(super) fn remove(conn: &Connection, number: OutboxNumber) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM outbox WHERE number = ?1";
    Ok(conn.prepare_cached(sql)?.execute([to_sql(number.get())])? > 0)
}

/// A page of effects that wait.
pub(super) fn effects(
    conn: &Connection,
    shared: &Shared,
    after: OutboxNumber,
    limit: usize,
) -> Result<Vec<Effect>, ReadError> {
    let letters = page(conn, shared, "reason IS NULL", after, limit)?;
    Ok(letters.into_iter().map(|letter| letter.effect).collect())
}

/// A page of dead letters.
pub(super) fn dead_letters(
    conn: &Connection,
    shared: &Shared,
    after: OutboxNumber,
    limit: usize,
) -> Result<Vec<DeadLetter>, ReadError> {
    let letters = page(conn, shared, "reason IS NOT NULL", after, limit)?;
    let dead = letters.into_iter().filter_map(|letter| {
        Some(DeadLetter {
            effect: letter.effect,
            reason: letter.reason?,
            attempts: letter.attempts,
        })
    });
    Ok(dead.collect())
}

fn page(
    conn: &Connection,
    shared: &Shared,
    which: &str,
    after: OutboxNumber,
    limit: usize,
) -> Result<Vec<Letter>, ReadError> {
    if !keeps_calls(conn)? {
        return Ok(Vec::new());
    }
    let end = shared.end();
    let sql = format!(
        "SELECT number, time, attempts, reason, sum, {CALL} FROM outbox \
         WHERE number > ?1 AND {which} ORDER BY number"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([to_sql(after.get())])?;
    let mut letters = Vec::new();
    while letters.len() < limit
        && let Some(row) = rows.next()?
    {
        let number = OutboxNumber::new(number(row, 0).unwrap_or(0));
        // A commit beyond the published end may not be confirmed yet.
        if number.offset() > Offset::new(end) {
            break;
        }
        match Letter::read(row) {
            Ok(letter) => letters.push(letter),
            Err(Damage(what)) => {
                tracing::error!(%number, what, "a row of the outbox is left out");
            }
        }
    }
    Ok(letters)
}

/// Checks every row; `fault` hears what is wrong.
pub(super) fn check(conn: &Connection, mut fault: impl FnMut(String)) -> Result<(), SqliteError> {
    let sql =
        format!("SELECT number, time, attempts, reason, sum, {CALL} FROM outbox ORDER BY number");
    let mut statement = conn.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Err(Damage(what)) = Letter::read(row) {
            let number = number(row, 0).unwrap_or(0);
            fault(format!("row {number} of the outbox: {what}"));
        }
    }
    Ok(())
}

/// The sound rows with numbers of the entry at `offset`.
pub(super) fn sent_by(conn: &Connection, offset: u64) -> Result<Vec<Letter>, SqliteError> {
    let sql = format!(
        "SELECT number, time, attempts, reason, sum, {CALL} FROM outbox \
         WHERE number BETWEEN ?1 AND ?2 ORDER BY number"
    );
    let first = OutboxNumber::of(Offset::new(offset), 0);
    let last = OutboxNumber::of(Offset::new(offset), OutboxNumber::PER_MEMBER - 1);
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([to_sql(first.get()), to_sql(last.get())])?;
    let mut letters = Vec::new();
    while let Some(row) = rows.next()? {
        letters.extend(Letter::read(row).ok());
    }
    Ok(letters)
}
