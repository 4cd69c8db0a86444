//! Stored calls inside a transaction of the writer: sent, settled, tended.

use rusqlite::Connection;

use super::outbox::{self, Letter};
use super::timers;
use crate::{
    Deferred, Effect, Offset, OutboxNumber, PersistenceId, Settled, Tending, Timer, TimerChange,
    Timestamp,
};

/// Whether a member that answers this call may be stored.
pub(super) fn has(conn: &Connection, call: &Settled) -> rusqlite::Result<bool> {
    match call {
        Settled::Effect(number) => outbox::waits(conn, *number),
        Settled::Timer { number, due, .. } => Ok(timers::waiting(conn, *number, *due)?.is_some()),
    }
}

/// Stores what a member says of calls; its last entry is at `position`. That it may, was judged.
pub(super) fn append(
    conn: &Connection,
    deferred: &Deferred,
    sender: &PersistenceId,
    time: Timestamp,
    position: u64,
) -> rusqlite::Result<()> {
    if let Some(settled) = &deferred.settles {
        settle(conn, settled)?;
    }
    let mut numbers = (0..).map(|index| OutboxNumber::of(Offset::new(position), index));
    for (call, number) in deferred.effects.iter().zip(numbers.by_ref()) {
        let effect = Effect {
            number,
            sender: sender.clone(),
            time,
            call: call.clone(),
        };
        Letter::from(effect).store(conn)?;
    }
    for (change, number) in deferred.timers.iter().zip(numbers) {
        match change {
            TimerChange::Set(timer) => {
                timers::cancel(conn, sender, &timer.name)?;
                let timer = Timer {
                    number,
                    owner: sender.clone(),
                    name: timer.name.clone(),
                    due: timer.due,
                    wake: timer.due,
                    schedule: timer.schedule.clone(),
                    call: timer.call.clone(),
                };
                timers::store(conn, &timer)?;
            }
            TimerChange::Cancel { name } => timers::cancel(conn, sender, name)?,
            TimerChange::CancelAll => timers::cancel_all(conn, sender)?,
        }
    }
    Ok(())
}

/// Removes a call, or moves its timer on. Whether it was there.
fn settle(conn: &Connection, call: &Settled) -> rusqlite::Result<bool> {
    match call {
        Settled::Effect(number) => outbox::remove(conn, *number),
        Settled::Timer { number, due, next } => {
            let Some(mut timer) = timers::waiting(conn, *number, *due)? else {
                return Ok(false);
            };
            match next {
                Some(next) => {
                    (timer.due, timer.wake) = (*next, *next);
                    timers::store(conn, &timer)?;
                }
                None => timers::remove(conn, *number)?,
            }
            Ok(true)
        }
    }
}

/// One change outside a command. Whether there was something to change.
pub(super) fn tend(conn: &Connection, change: &Tending) -> rusqlite::Result<bool> {
    match change {
        Tending::Bury {
            call,
            reason,
            attempts,
        } => bury(conn, call, reason, *attempts),
        Tending::Pass(call) => Ok(has(conn, call)? && settle(conn, call)?),
        Tending::Postpone { number, due, wake } => {
            let Some(mut timer) = timers::waiting(conn, *number, *due)? else {
                return Ok(false);
            };
            timer.wake = *wake;
            timers::store(conn, &timer)?;
            Ok(true)
        }
        Tending::Retry(number) => match dead(conn, *number)? {
            Some(letter) => {
                Letter::from(letter.effect).store(conn)?;
                Ok(true)
            }
            None => Ok(false),
        },
        Tending::Drop(number) => {
            Ok(!outbox::waits(conn, *number)? && outbox::remove(conn, *number)?)
        }
    }
}

fn dead(conn: &Connection, number: OutboxNumber) -> rusqlite::Result<Option<Letter>> {
    let letter = outbox::letter(conn, number)?;
    Ok(letter.filter(|letter| letter.reason.is_some()))
}

fn bury(conn: &Connection, call: &Settled, reason: &str, attempts: u32) -> rusqlite::Result<bool> {
    let effect = match call {
        Settled::Effect(number) => outbox::letter(conn, *number)?
            .filter(|letter| letter.reason.is_none())
            .map(|letter| letter.effect),
        Settled::Timer { number, due, .. } => {
            timers::waiting(conn, *number, *due)?.map(|timer| Effect {
                number: *number,
                sender: timer.owner,
                time: timer.due,
                call: timer.call,
            })
        }
    };
    let Some(effect) = effect else {
        return Ok(false);
    };
    if matches!(call, Settled::Timer { .. }) {
        settle(conn, call)?;
    }
    let reason = Some(reason.to_owned());
    Letter {
        effect,
        attempts,
        reason,
    }
    .store(conn)?;
    Ok(true)
}
