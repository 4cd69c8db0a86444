//! How many bytes a row of ours has, so that raw rows have as many.

use std::path::Path;
use std::sync::OnceLock;

use anyhow::Result;
use rusqlite::{Connection, OpenFlags};

use super::fill::{self, Filling};
use crate::harness::Plan;

/// Bytes of a row of ours with one 64-byte payload: everything that SQLite stores for it.
pub(crate) fn row_bytes(plan: &Plan) -> Result<f64> {
    static BYTES: OnceLock<f64> = OnceLock::new();
    if let Some(bytes) = BYTES.get() {
        return Ok(*bytes);
    }
    let filling = Filling {
        entity_type: "cart",
        entities: 20_000,
        events: 2,
    };
    let file = fill::file(plan, "envelope.db", &filling)?;
    let bytes = stored(&file)?;
    Ok(*BYTES.get_or_init(|| bytes))
}

/// The mean of all bytes that a file's table `journal` stores for a row.
pub(crate) fn stored(file: &Path) -> Result<f64> {
    let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let sql = "SELECT sum(payload) * 1.0 / sum(ncell) FROM dbstat \
               WHERE name = 'journal' AND pagetype = 'leaf'";
    Ok(conn.query_row(sql, [], |row| row.get(0))?)
}
