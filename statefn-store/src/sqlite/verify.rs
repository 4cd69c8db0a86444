//! The check of a whole store: pages, journal, heads, snapshots, in one read transaction.

use rusqlite::{Connection, OptionalExtension};

use super::audit::Audit;
use super::failure::{ReadError, SqliteError};
use super::head::EntityHead;
use super::load::read_snapshot;
use super::number::to_sql;
use super::outbox;
use super::projections;
use super::row::{Damage, ENTRY, HEADER_AT, Header, id_of, number};
use super::schema::{Meta, keeps_calls, keeps_views};
use super::shared::Shared;
use super::shared::closed_failure;
use super::timers;
use crate::{FailureKind, PersistenceId, StoreReport};

/// Checks everything that can be checked without user code.
pub(super) fn verify(conn: &Connection, shared: &Shared) -> Result<StoreReport, ReadError> {
    let tx = conn.unchecked_transaction()?;
    let meta = match Meta::read(&tx) {
        Ok(meta) => Ok(meta),
        Err(error) if error.kind() == FailureKind::Corrupt => Err(error.to_string()),
        Err(error) => return Err(error.into()),
    };
    let watermark = meta.as_ref().map_or(0, |meta| meta.watermark);
    let mut audit = Audit::new(watermark);
    if let Err(what) = meta {
        audit.fault(None, 0, what);
    }
    pages(&tx, &mut audit)?;
    let mut snapshots = 0;
    // Damaged pages end the step that meets them, not the check.
    for step in [journal, heads] {
        noted(step(&tx, shared, &mut audit), &mut audit)?;
    }
    let counted = count_snapshots(&tx, &mut audit, &mut snapshots);
    noted(counted, &mut audit)?;
    let calls = stored_calls(&tx, &mut audit);
    noted(calls, &mut audit)?;
    let last = audit.last();
    if last < watermark {
        audit.reach(watermark + 1);
    }
    tx.finish()?;
    Ok(StoreReport {
        entities: audit.entities.len() as u64,
        entries: audit.entries,
        snapshots,
        faults: audit.faults(),
    })
}

fn stored_calls(conn: &Connection, audit: &mut Audit) -> Result<(), ReadError> {
    if !keeps_calls(conn)? {
        return Ok(());
    }
    let mut faults = Vec::new();
    outbox::check(conn, |what| faults.push(what))?;
    timers::check(conn, |what| faults.push(what))?;
    if keeps_views(conn)? {
        projections::check(conn, |what| faults.push(what))?;
    }
    for what in faults {
        audit.fault(None, 0, what);
    }
    Ok(())
}

fn noted(result: Result<(), ReadError>, audit: &mut Audit) -> Result<(), ReadError> {
    match result {
        Err(ReadError::Sqlite(error)) if error.kind() == FailureKind::Corrupt => {
            audit.fault(None, 0, error.to_string());
            Ok(())
        }
        result => result,
    }
}

/// SQLite's own check of its pages.
fn pages(conn: &Connection, audit: &mut Audit) -> Result<(), ReadError> {
    let found = quick_check(conn)?;
    // A read that failed is listed like damage. Only damage stays where it is.
    if !found.is_empty() && quick_check(conn)? != found {
        let what = "its pages cannot be read twice in the same way";
        return Err(SqliteError::own(FailureKind::Io, what).into());
    }
    for what in found {
        audit.fault(None, 0, format!("SQLite: {what}"));
    }
    Ok(())
}

fn quick_check(conn: &Connection) -> Result<Vec<String>, ReadError> {
    let mut statement = conn.prepare("PRAGMA quick_check(100)")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    loop {
        match rows.next().map_err(SqliteError::from) {
            Ok(Some(row)) => found.push(row.get(0)?),
            Ok(None) => break,
            // Pages so damaged that the check itself ends.
            Err(error) if error.kind() == FailureKind::Corrupt => {
                found.push(error.to_string());
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    found.retain(|what| what != "ok");
    Ok(found)
}

fn journal(conn: &Connection, shared: &Shared, audit: &mut Audit) -> Result<(), ReadError> {
    let mut statement = conn.prepare(&format!("SELECT {ENTRY} FROM journal ORDER BY offset"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        audit.entry(row);
        if audit.entries.is_multiple_of(1024) {
            go_on(shared)?;
        }
    }
    Ok(())
}

/// Long work ends when the store is closed.
pub(super) fn go_on(shared: &Shared) -> Result<(), ReadError> {
    if shared.is_closing() {
        return Err(ReadError::Sqlite(closed_failure(shared).into()));
    }
    Ok(())
}

fn heads(conn: &Connection, shared: &Shared, audit: &mut Audit) -> Result<(), ReadError> {
    let sql = "SELECT type, id, position, sequence, record, snapshot, first, skip, sum FROM heads";
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Some(id) = id_of(row, 0) else {
            audit.fault(None, 0, "a name in the table of heads is no text");
            continue;
        };
        let head = EntityHead::read(row, 2, &id);
        check_head(conn, audit, &id, head)?;
    }
    go_on(shared)?;
    let unlisted: Vec<PersistenceId> = audit
        .entities
        .iter()
        .filter(|(_, found)| found.covered != 0 && !found.listed)
        .map(|(id, _)| id.clone())
        .collect();
    for id in unlisted {
        audit.fault(Some(id), 0, "it is missing from the table of heads");
    }
    Ok(())
}

fn check_head(
    conn: &Connection,
    audit: &mut Audit,
    id: &PersistenceId,
    head: Result<EntityHead, Damage>,
) -> Result<(), ReadError> {
    let found = audit.entities.get_mut(id).map(|found| {
        found.listed = true;
        *found
    });
    let what = match (head, found) {
        (Err(Damage(what)), _) => what,
        (Ok(_), None) => "its head is listed, but it has no entries",
        (Ok(head), Some(found)) => {
            // The snapshot is checked with the snapshots.
            let without = |head: EntityHead| EntityHead {
                snapshot: 0,
                ..head
            };
            let newest = without(head) == without(found.head);
            let older = head.position >= found.covered && head.position < found.head.position;
            if newest || (older && is_entry(conn, id, &head)?) {
                return Ok(());
            }
            "its head contradicts the journal"
        }
    };
    audit.fault(Some(id.clone()), 0, what);
    Ok(())
}

/// Whether a head that is not the newest was one: entries after it have not been merged yet.
fn is_entry(conn: &Connection, id: &PersistenceId, head: &EntityHead) -> Result<bool, ReadError> {
    let matches = conn
        .prepare_cached(&HEADER_AT)?
        .query_row([to_sql(head.position)], |row| {
            let header = Header::of(row, id);
            Ok(matches!(header, Ok(Some(header)) if header.sequence == head.sequence))
        })
        .optional()?;
    Ok(matches == Some(true))
}

fn count_snapshots(conn: &Connection, audit: &mut Audit, count: &mut u64) -> Result<(), ReadError> {
    let sql = "SELECT sequence, shape, codec, payload, sum, offset, type, id FROM snapshots";
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        *count += 1;
        let offset = number(row, 5).unwrap_or(0);
        let Some(id) = id_of(row, 6) else {
            audit.fault(None, offset, "the snapshot's entity is no text");
            continue;
        };
        match read_snapshot(row, &id, offset) {
            Err(Damage(what)) => {
                audit.fault(Some(id), offset, format!("the snapshot: {what}"));
            }
            Ok((sequence, _)) => {
                let head = EntityHead {
                    position: offset,
                    sequence,
                    ..EntityHead::default()
                };
                if !is_entry(conn, &id, &head)? {
                    let what = "the snapshot was not taken after the event at its offset";
                    audit.fault(Some(id), offset, what);
                }
            }
        }
    }
    Ok(())
}
