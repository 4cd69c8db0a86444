//! Which entities and types there are: the table of heads, and those that are not in it yet.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::failure::ReadError;
use super::head::EntityHead;
use super::row::id_of;
use super::shared::Shared;
use crate::{EntityType, PersistenceId};

/// Up to `limit` entities after `after`, in order.
pub(super) fn entities(
    conn: &Connection,
    shared: &Shared,
    after: Option<&PersistenceId>,
    limit: usize,
) -> Result<Vec<PersistenceId>, ReadError> {
    // The map first, the table second: an entity is in at least one of them.
    let mut found = smallest_unmerged(shared, after, limit);
    let sql = "SELECT type, id, position, sequence, record, snapshot, first, skip, sum FROM heads \
               WHERE (type, id) > (?1, ?2) ORDER BY type, id LIMIT ?3";
    let first = "SELECT type, id, position, sequence, record, snapshot, first, skip, sum FROM heads \
                 ORDER BY type, id LIMIT ?1";
    let limit_sql = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = conn.prepare_cached(if after.is_some() { sql } else { first })?;
    let mut rows = match after {
        Some(after) => {
            let names = (after.entity_type().as_str(), after.id());
            statement.query(params![names.0, names.1, limit_sql])?
        }
        None => statement.query([limit_sql])?,
    };
    while let Some(row) = rows.next()? {
        let id = id_of(row, 0)
            .ok_or_else(|| ReadError::damaged(0, 0, "a name in the table of heads is no text"))?;
        if EntityHead::read(row, 2, &id).is_err() && !has_entries(conn, &id)? {
            let what = format!("the table of heads names {id}, which has no entries");
            return Err(ReadError::damaged(0, 0, what));
        }
        found.insert(id);
    }
    Ok(found.into_iter().take(limit).collect())
}

/// Whether the journal knows a name that stands in a damaged row.
fn has_entries(conn: &Connection, id: &PersistenceId) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM journal WHERE type = ?1 AND id = ?2 LIMIT 1";
    let names = params![id.entity_type().as_str(), id.id()];
    conn.prepare_cached(sql)?.exists(names)
}

/// The first `limit` ids in memory; never holds more than that.
fn smallest_unmerged(
    shared: &Shared,
    after: Option<&PersistenceId>,
    limit: usize,
) -> BTreeSet<PersistenceId> {
    let mut found = BTreeSet::new();
    if limit == 0 {
        return found;
    }
    let published = shared.published();
    for (id, _) in published.unmerged.iter() {
        if after.is_some_and(|after| id <= after) {
            continue;
        }
        if found.len() == limit {
            if found.last().is_some_and(|last| id >= last) {
                continue;
            }
            found.pop_last();
        }
        found.insert(id.clone());
    }
    found
}

/// All types, sorted: one step in the table for each.
pub(super) fn entity_types(
    conn: &Connection,
    shared: &Shared,
) -> Result<Vec<EntityType>, ReadError> {
    let mut types: BTreeSet<EntityType> = {
        let published = shared.published();
        let ids = published.unmerged.iter().map(|(id, _)| id.entity_type());
        ids.cloned().collect()
    };
    let mut statement =
        conn.prepare_cached("SELECT type FROM heads WHERE type > ?1 ORDER BY type LIMIT 1")?;
    let mut next: Option<String> = conn
        .query_row("SELECT type FROM heads ORDER BY type LIMIT 1", [], |row| {
            row.get(0)
        })
        .optional()?;
    while let Some(name) = next {
        next = statement
            .query_row([name.as_str()], |row| row.get(0))
            .optional()?;
        types.insert(EntityType::new(name));
    }
    Ok(types.into_iter().collect())
}
