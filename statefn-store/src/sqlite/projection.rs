//! One row of the table of projections: a version of one, and where it stands.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::checksum::Checksum;
use super::failure::SqliteError;
use super::number::to_sql;
use super::row::{Damage, bytes, number, signed, text};
use super::stored_call::small;
use crate::{FailureKind, Offset, ProjectionId, StoredProjection};

/// Columns of a version, in the order that [`Version::read`] expects.
pub(super) const PROJECTION: &str = "number, name, version, offset, serves, layout, sum";

/// A row of the table: a version of a projection, and the number that its rows carry.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) number: i64,
    pub(super) stored: StoredProjection,
}

impl Version {
    /// Reads and verifies the columns of [`PROJECTION`].
    pub(super) fn read(row: &Row<'_>) -> Result<Self, Damage> {
        let id = ProjectionId::new(text(row, 1)?, small(row, 2)?);
        let version = Self {
            number: signed(row, 0)?,
            stored: StoredProjection {
                id,
                offset: Offset::new(number(row, 3)?),
                serves: number(row, 4)? != 0,
                layout: bytes(row, 5)?.to_vec(),
            },
        };
        if version.sum() == signed(row, 6)? {
            Ok(version)
        } else {
            Err(Damage("it contradicts the checksum"))
        }
    }

    fn sum(&self) -> i64 {
        let stored = &self.stored;
        Checksum::of([
            self.number.cast_unsigned(),
            u64::from(stored.id.version),
            stored.offset.get(),
            u64::from(stored.serves),
        ])
        .field(stored.id.name.as_bytes())
        .field(&stored.layout)
        .stored()
    }

    /// Writes the row, in place of one of its number.
    pub(super) fn store(&self, conn: &Connection) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO projections (number, name, version, offset, serves, \
                   layout, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let stored = &self.stored;
        conn.prepare_cached(sql)?.execute(params![
            self.number,
            stored.id.name,
            stored.id.version,
            to_sql(stored.offset.get()),
            stored.serves,
            stored.layout,
            self.sum(),
        ])?;
        Ok(())
    }

    /// Moves the row on: cheaper than to write all of it.
    pub(super) fn moved(mut self, conn: &Connection, offset: Offset) -> rusqlite::Result<()> {
        self.stored.offset = offset;
        let sql = "UPDATE projections SET offset = ?2, sum = ?3 WHERE number = ?1";
        let columns = params![self.number, to_sql(offset.get()), self.sum()];
        conn.prepare_cached(sql)?.execute(columns)?;
        Ok(())
    }
}

/// The failure of reading what belongs to a projection.
pub(super) fn damaged(id: &str, Damage(what): Damage) -> SqliteError {
    SqliteError::own(FailureKind::Corrupt, format!("projection {id}: {what}"))
}

fn read(row: &Row<'_>) -> Result<Version, SqliteError> {
    Version::read(row).map_err(|damage| damaged(text(row, 1).unwrap_or("?"), damage))
}

/// One version.
pub(super) fn version(
    conn: &Connection,
    id: &ProjectionId,
) -> Result<Option<Version>, SqliteError> {
    let sql = format!("SELECT {PROJECTION} FROM projections WHERE name = ?1 AND version = ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![id.name, id.version])?;
    rows.next()?.map(read).transpose()
}

/// All versions of a name, or all there are.
pub(super) fn versions(conn: &Connection, name: Option<&str>) -> Result<Vec<Version>, SqliteError> {
    let sql = format!(
        "SELECT {PROJECTION} FROM projections WHERE ?1 IS NULL OR name = ?1 ORDER BY name, version"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([name])?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        versions.push(read(row)?);
    }
    Ok(versions)
}

/// The version of a name that answers a read: the one that is named, else the one that serves.
pub(super) fn answering(
    conn: &Connection,
    name: &str,
    wanted: Option<u32>,
) -> Result<Option<Version>, SqliteError> {
    let versions = versions(conn, Some(name))?;
    Ok(versions.into_iter().find(|version| match wanted {
        Some(wanted) => version.stored.id.version == wanted,
        None => version.stored.serves,
    }))
}

/// Whether there is a projection of this number.
pub(super) fn exists(conn: &Connection, number: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM projections WHERE number = ?1";
    let found: Option<i64> = conn
        .prepare_cached(sql)?
        .query_row([number], |row| row.get(0))
        .optional()?;
    Ok(found.is_some())
}
