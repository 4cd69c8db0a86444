//! What becomes of projections, and what each has left out.

use rusqlite::{Connection, Row, params};

use super::checksum::Checksum;
use super::failure::{ReadError, SqliteError};
use super::number::to_sql;
use super::projection::{PROJECTION, Version, damaged, version, versions};
use super::row::{Damage, number, signed, text};
use super::schema::keeps_views;
use super::shared::Shared;
use super::view_rows;
use crate::{
    Advance, Offset, PassedOver, Projected, Projecting, ProjectionId, StoredProjection,
    StoredProjections, Timestamp,
};

/// Everything, and where the journal ends.
pub(super) fn all(conn: &Connection, shared: &Shared) -> Result<StoredProjections, ReadError> {
    let end = Offset::new(shared.end());
    if !keeps_views(conn)? {
        let versions = Vec::new();
        return Ok(StoredProjections { end, versions });
    }
    let versions = versions(conn, None)?;
    Ok(StoredProjections {
        end,
        versions: versions.into_iter().map(|version| version.stored).collect(),
    })
}

/// Applies a change inside the caller's transaction, or refuses it.
pub(super) fn project(conn: &Connection, change: &Projecting) -> Result<Projected, SqliteError> {
    match change {
        Projecting::Begin { id, offset, layout } => begin(conn, id, *offset, layout),
        Projecting::Advance(advance) => self::advance(conn, advance),
        Projecting::Serve(id) => serve(conn, id),
        Projecting::Drop { id, limit } => remove(conn, id, *limit),
    }
}

fn begin(
    conn: &Connection,
    id: &ProjectionId,
    offset: Offset,
    layout: &[u8],
) -> Result<Projected, SqliteError> {
    if let Some(there) = version(conn, id)? {
        let at = Some(there.stored.offset);
        return Ok(Projected::Refused { at });
    }
    let others = versions(conn, Some(&id.name))?;
    let sql = "SELECT coalesce(max(number), 0) + 1 FROM projections";
    let number = conn.query_row(sql, [], |row| row.get(0))?;
    let version = Version {
        number,
        stored: StoredProjection {
            id: id.clone(),
            offset,
            serves: !others.iter().any(|other| other.stored.serves),
            layout: layout.to_vec(),
        },
    };
    version.store(conn)?;
    Ok(Projected::Done)
}

fn advance(conn: &Connection, advance: &Advance) -> Result<Projected, SqliteError> {
    let Some(version) = version(conn, &advance.id)? else {
        return Ok(Projected::Refused { at: None });
    };
    if version.stored.offset != advance.expected || advance.offset < advance.expected {
        let at = Some(version.stored.offset);
        return Ok(Projected::Refused { at });
    }
    for change in &advance.rows {
        view_rows::change(conn, version.number, change)?;
    }
    for passed in &advance.passed {
        pass(conn, version.number, passed)?;
    }
    version.moved(conn, advance.offset)?;
    Ok(Projected::Done)
}

fn serve(conn: &Connection, id: &ProjectionId) -> Result<Projected, SqliteError> {
    if version(conn, id)?.is_none() {
        return Ok(Projected::Refused { at: None });
    }
    for mut version in versions(conn, Some(&id.name))? {
        let serves = version.stored.id.version == id.version;
        if version.stored.serves != serves {
            version.stored.serves = serves;
            version.store(conn)?;
        }
    }
    Ok(Projected::Done)
}

fn remove(conn: &Connection, id: &ProjectionId, limit: usize) -> Result<Projected, SqliteError> {
    let Some(version) = version(conn, id)? else {
        return Ok(Projected::Refused { at: None });
    };
    if version.stored.serves {
        let at = Some(version.stored.offset);
        return Ok(Projected::Refused { at });
    }
    if view_rows::remove(conn, version.number, limit)? {
        return Ok(Projected::More);
    }
    for sql in [
        "DELETE FROM passed_over WHERE projection = ?1",
        "DELETE FROM projections WHERE number = ?1",
    ] {
        conn.prepare_cached(sql)?.execute([version.number])?;
    }
    Ok(Projected::Done)
}

fn pass(conn: &Connection, projection: i64, passed: &PassedOver) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO passed_over (projection, offset, time, reason, sum) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    conn.prepare_cached(sql)?.execute(params![
        projection,
        to_sql(passed.offset.get()),
        passed.time.as_millis(),
        passed.reason,
        passed_sum(projection, passed),
    ])?;
    Ok(())
}

fn passed_sum(projection: i64, passed: &PassedOver) -> i64 {
    Checksum::of([
        projection.cast_unsigned(),
        passed.offset.get(),
        passed.time.as_millis().cast_unsigned(),
    ])
    .field(passed.reason.as_bytes())
    .stored()
}

/// Reads `projection, offset, time, reason, sum`.
fn read_passed(row: &Row<'_>) -> Result<PassedOver, Damage> {
    let passed = PassedOver {
        offset: Offset::new(number(row, 1)?),
        time: Timestamp::from_millis(signed(row, 2)?),
        reason: text(row, 3)?.to_owned(),
    };
    if passed_sum(signed(row, 0)?, &passed) == signed(row, 4)? {
        Ok(passed)
    } else {
        Err(Damage("it contradicts the checksum"))
    }
}

/// A page of what a version has left out.
pub(super) fn passed_over(
    conn: &Connection,
    id: &ProjectionId,
    after: Offset,
    limit: usize,
) -> Result<Vec<PassedOver>, ReadError> {
    let mut passed = Vec::new();
    if !keeps_views(conn)? {
        return Ok(passed);
    }
    let Some(version) = version(conn, id)? else {
        return Ok(passed);
    };
    let sql = "SELECT projection, offset, time, reason, sum FROM passed_over \
               WHERE projection = ?1 AND offset > ?2 ORDER BY offset";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![version.number, to_sql(after.get())])?;
    while passed.len() < limit
        && let Some(row) = rows.next()?
    {
        let read = read_passed(row).map_err(|damage| damaged(&id.name, damage))?;
        passed.push(read);
    }
    Ok(passed)
}

/// Checks every row of what belongs to projections; `fault` hears what is wrong.
pub(super) fn check(conn: &Connection, mut fault: impl FnMut(String)) -> Result<(), SqliteError> {
    let sql = format!("SELECT {PROJECTION} FROM projections ORDER BY number");
    let mut statement = conn.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Err(Damage(what)) = Version::read(row) {
            let number = signed(row, 0).unwrap_or(0);
            fault(format!("projection number {number}: {what}"));
        }
    }
    let sql = "SELECT projection, offset, time, reason, sum FROM passed_over";
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Err(Damage(what)) = read_passed(row) {
            let (projection, offset) = (number(row, 0).unwrap_or(0), number(row, 1).unwrap_or(0));
            fault(format!(
                "what projection number {projection} has left out at offset {offset}: {what}"
            ));
        }
    }
    view_rows::check(conn, fault)
}
