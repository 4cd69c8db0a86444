//! Rows of views and their indexes.

use std::fmt::Write as _;

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::checksum::Checksum;
use super::failure::{ReadError, SqliteError};
use super::limits::PAGE_PAYLOAD_BYTES;
use super::projection::{answering, exists, version};
use super::row::{Damage, bytes, signed, text};
use super::schema::keeps_views;
use crate::{
    FailureKind, IndexValue, NewRow, RowChange, RowPlace, RowsFound, RowsWanted, ViewPage,
    ViewQuery, ViewRow,
};

/// A row where it is stored.
struct Place<'a> {
    projection: i64,
    view: &'a str,
    key: &'a [u8],
}

impl Place<'_> {
    fn sum(&self, payload: &[u8], indexed: &[u8]) -> i64 {
        Checksum::of([self.projection.cast_unsigned()])
            .field(self.view.as_bytes())
            .field(self.key)
            .field(payload)
            .field(indexed)
            .stored()
    }

    /// Verifies the columns `row, indexed, sum` from column `at` on, and answers the first two.
    fn read<'r>(&self, row: &'r Row<'_>, at: usize) -> Result<(&'r [u8], &'r [u8]), Damage> {
        let (payload, indexed) = (bytes(row, at)?, bytes(row, at + 1)?);
        if self.sum(payload, indexed) == signed(row, at + 2)? {
            Ok((payload, indexed))
        } else {
            Err(Damage("a row contradicts its checksum"))
        }
    }

    fn damaged(&self, Damage(what): Damage) -> SqliteError {
        let message = format!("view {}: {what}", self.view);
        SqliteError::own(FailureKind::Corrupt, message)
    }
}

/// The values under which a row is listed, as one column: lengths as little-endian words of 32 bits.
fn packed(indexed: &[IndexValue]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for IndexValue { index, value } in indexed {
        for part in [index.as_bytes(), value.as_slice()] {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(part);
        }
    }
    bytes
}

fn unpacked(mut bytes: &[u8]) -> Result<Vec<(&str, &[u8])>, Damage> {
    const DAMAGE: Damage = Damage("the values of its indexes cannot be read");
    fn part<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
        let (length, rest) = bytes.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (part, rest) = rest.split_at_checked(length)?;
        *bytes = rest;
        Some(part)
    }
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let index = part(&mut bytes).and_then(|index| std::str::from_utf8(index).ok());
        let value = part(&mut bytes);
        values.push((index.ok_or(DAMAGE)?, value.ok_or(DAMAGE)?));
    }
    Ok(values)
}

/// Writes or removes a row, and what its indexes say of it.
pub(super) fn change(
    conn: &Connection,
    projection: i64,
    change: &RowChange,
) -> Result<(), SqliteError> {
    let place = Place {
        projection,
        view: &change.view,
        key: &change.key,
    };
    let indexed = change.row.as_ref().map(|row| packed(&row.indexed));
    let before = listed(conn, &place)?;
    if let Some(before) = before
        .as_ref()
        .filter(|before| indexed.as_ref() != Some(before))
    {
        unlist(conn, &place, before)?;
    }
    match (&change.row, indexed) {
        (Some(row), Some(indexed)) => {
            if before.as_ref() != Some(&indexed) {
                list(conn, &place, row)?;
            }
            let sql = "INSERT INTO view_rows (projection, view, key, row, indexed, sum) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET \
                       row = excluded.row, indexed = excluded.indexed, sum = excluded.sum";
            conn.prepare_cached(sql)?.execute(params![
                projection,
                place.view,
                place.key,
                row.payload,
                indexed,
                place.sum(&row.payload, &indexed),
            ])?;
        }
        _ if before.is_some() => {
            let sql = "DELETE FROM view_rows WHERE projection = ?1 AND view = ?2 AND key = ?3";
            let names = params![projection, place.view, place.key];
            conn.prepare_cached(sql)?.execute(names)?;
        }
        _ => {}
    }
    Ok(())
}

/// Under what a row is listed, if it is there.
fn listed(conn: &Connection, place: &Place<'_>) -> Result<Option<Vec<u8>>, SqliteError> {
    let sql = "SELECT indexed FROM view_rows WHERE projection = ?1 AND view = ?2 AND key = ?3";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![place.projection, place.view, place.key])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let indexed = bytes(row, 0).map_err(|damage| place.damaged(damage))?;
    Ok(Some(indexed.to_vec()))
}

fn list(conn: &Connection, place: &Place<'_>, row: &NewRow) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO view_indexes (projection, view, name, value, key) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    for IndexValue { index, value } in &row.indexed {
        let columns = params![place.projection, place.view, index, value, place.key];
        conn.prepare_cached(sql)?.execute(columns)?;
    }
    Ok(())
}

fn unlist(conn: &Connection, place: &Place<'_>, indexed: &[u8]) -> Result<(), SqliteError> {
    let sql = "DELETE FROM view_indexes WHERE projection = ?1 AND view = ?2 AND name = ?3 \
               AND value = ?4 AND key = ?5";
    let values = unpacked(indexed).map_err(|damage| place.damaged(damage))?;
    for (index, value) in values {
        let columns = params![place.projection, place.view, index, value, place.key];
        conn.prepare_cached(sql)?.execute(columns)?;
    }
    Ok(())
}

/// Removes up to `limit` rows, with what indexes say of them. Whether there are more.
pub(super) fn remove(conn: &Connection, projection: i64, limit: usize) -> rusqlite::Result<bool> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let of_table = |table: &str| {
        let key = if table == "view_rows" {
            "view, key"
        } else {
            "view, name, value, key"
        };
        format!(
            "DELETE FROM {table} WHERE projection = ?1 AND ({key}) IN \
             (SELECT {key} FROM {table} WHERE projection = ?1 LIMIT ?2)"
        )
    };
    let mut left = limit;
    for table in ["view_indexes", "view_rows"] {
        let sql = of_table(table);
        let removed = conn
            .prepare_cached(&sql)?
            .execute(params![projection, left])?;
        left -= i64::try_from(removed).unwrap_or(i64::MAX);
        if left <= 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Rows by their keys.
pub(super) fn rows(conn: &Connection, wanted: &RowsWanted) -> Result<Option<RowsFound>, ReadError> {
    if !keeps_views(conn)? {
        return Ok(None);
    }
    let tx = conn.unchecked_transaction()?;
    let Some(version) = version(&tx, &wanted.id)? else {
        return Ok(None);
    };
    let sql = "SELECT row, indexed, sum FROM view_rows \
               WHERE projection = ?1 AND view = ?2 AND key = ?3";
    let mut found = Vec::with_capacity(wanted.rows.len());
    let mut statement = tx.prepare_cached(sql)?;
    for (view, key) in &wanted.rows {
        let place = Place {
            projection: version.number,
            view,
            key,
        };
        let mut rows = statement.query(params![version.number, view, key])?;
        found.push(match rows.next()? {
            Some(row) => {
                let (payload, _) = place.read(row, 0).map_err(|damage| place.damaged(damage))?;
                Some(payload.to_vec())
            }
            None => None,
        });
    }
    Ok(Some(RowsFound {
        offset: version.stored.offset,
        rows: found,
    }))
}

/// A page of rows.
pub(super) fn page(conn: &Connection, query: &ViewQuery) -> Result<Option<ViewPage>, ReadError> {
    if !keeps_views(conn)? {
        return Ok(None);
    }
    let tx = conn.unchecked_transaction()?;
    let Some(version) = answering(&tx, &query.projection, query.version)? else {
        return Ok(None);
    };
    let (sql, values) = statement(query, version.number);
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut page = ViewPage {
        version: version.stored.id.version,
        offset: version.stored.offset,
        rows: Vec::new(),
        more: false,
    };
    let mut size = 0;
    while let Some(row) = rows.next()? {
        if page.rows.len() >= query.limit || size >= PAGE_PAYLOAD_BYTES {
            page.more = true;
            break;
        }
        let row = listed_row(row, query, version.number)?;
        size += row.payload.len() + row.place.key.len() + row.place.value.len();
        page.rows.push(row);
    }
    Ok(Some(page))
}

/// Reads `value, key, row, indexed, sum`.
fn listed_row(row: &Row<'_>, query: &ViewQuery, projection: i64) -> Result<ViewRow, SqliteError> {
    let damaged = |Damage(what)| {
        let message = format!("view {}: {what}", query.view);
        SqliteError::own(FailureKind::Corrupt, message)
    };
    let key = bytes(row, 1).map_err(damaged)?;
    let place = Place {
        projection,
        view: &query.view,
        key,
    };
    // An index that lists a row which is not there answers nulls, which are no bytes.
    let (payload, _) = place.read(row, 2).map_err(damaged)?;
    Ok(ViewRow {
        place: RowPlace {
            value: bytes(row, 0).map_err(damaged)?.to_vec(),
            key: key.to_vec(),
        },
        payload: payload.to_vec(),
    })
}

/// The question in SQL, with everything that comes from outside as a parameter.
fn statement(query: &ViewQuery, projection: i64) -> (String, Vec<Value>) {
    let mut values: Vec<Value> = vec![projection.into(), query.view.clone().into()];
    let (ordered, order, mut sql) = match &query.index {
        None => {
            let sql = "SELECT x'' AS value, r.key, r.row, r.indexed, r.sum FROM view_rows r \
                       WHERE r.projection = ?1 AND r.view = ?2";
            ("r.key", &["r.key"][..], sql.to_owned())
        }
        Some(index) => {
            values.push(index.clone().into());
            let sql = "SELECT i.value, i.key, r.row, r.indexed, r.sum FROM view_indexes i \
                       LEFT JOIN view_rows r ON r.projection = i.projection AND r.view = i.view \
                       AND r.key = i.key \
                       WHERE i.projection = ?1 AND i.view = ?2 AND i.name = ?3";
            ("i.value", &["i.value", "i.key"][..], sql.to_owned())
        }
    };
    let mut bound = |sql: &mut String, term: &str, value: Vec<u8>| {
        values.push(value.into());
        let number = values.len();
        // Writing to a string cannot fail.
        let _ = write!(sql, "{term}?{number}");
    };
    let (from, to) = query.span();
    bound(&mut sql, &format!(" AND {ordered} >= "), from);
    if let Some(to) = to {
        bound(&mut sql, &format!(" AND {ordered} < "), to);
    }
    let direction = if query.descending { "<" } else { ">" };
    if let Some(after) = query.after.clone() {
        if query.index.is_some() {
            bound(
                &mut sql,
                &format!(" AND (i.value, i.key) {direction} ("),
                after.value,
            );
            bound(&mut sql, ", ", after.key);
            sql.push(')');
        } else {
            bound(&mut sql, &format!(" AND r.key {direction} "), after.key);
        }
    }
    let way = if query.descending { " DESC" } else { "" };
    let order: Vec<String> = order
        .iter()
        .map(|column| format!("{column}{way}"))
        .collect();
    let _ = write!(sql, " ORDER BY {}", order.join(", "));
    (sql, values)
}

/// Checks every row and every index; `fault` hears what is wrong.
pub(super) fn check(conn: &Connection, mut fault: impl FnMut(String)) -> Result<(), SqliteError> {
    let sql = "SELECT projection, view, key, row, indexed, sum FROM view_rows";
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut listed = 0_i64;
    while let Some(row) = rows.next()? {
        match checked(conn, row)? {
            Ok(values) => listed += values,
            Err(Damage(what)) => {
                let view = text(row, 1).unwrap_or("?");
                fault(format!("view {view}: {what}"));
            }
        }
    }
    let sql = "SELECT count(*) FROM view_indexes";
    let found: i64 = conn.query_row(sql, [], |row| row.get(0))?;
    if found > listed {
        fault(format!(
            "indexes of views list {} rows too many",
            found - listed
        ));
    }
    Ok(())
}

/// In how many indexes a row is listed, each of them asked.
fn checked(conn: &Connection, row: &Row<'_>) -> Result<Result<i64, Damage>, SqliteError> {
    let read = || {
        let place = Place {
            projection: signed(row, 0)?,
            view: text(row, 1)?,
            key: bytes(row, 2)?,
        };
        let (_, indexed) = place.read(row, 3)?;
        Ok((unpacked(indexed)?, place))
    };
    let (values, place) = match read() {
        Ok(read) => read,
        Err(damage) => return Ok(Err(damage)),
    };
    if !exists(conn, place.projection)? {
        return Ok(Err(Damage("a row belongs to no projection")));
    }
    let sql = "SELECT 1 FROM view_indexes WHERE projection = ?1 AND view = ?2 AND name = ?3 \
               AND value = ?4 AND key = ?5";
    let mut statement = conn.prepare_cached(sql)?;
    for (index, value) in &values {
        let columns = params![place.projection, place.view, index, value, place.key];
        if !statement.exists(columns)? {
            return Ok(Err(Damage("an index does not list a row")));
        }
    }
    Ok(Ok(i64::try_from(values.len()).unwrap_or(i64::MAX)))
}
