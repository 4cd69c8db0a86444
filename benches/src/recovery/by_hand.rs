//! T11 and T12 by hand: read rows, decode them, apply them, on the calling thread.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, ensure};
use rusqlite::{Connection, OpenFlags};
use statefn_bench_kit::{Sample, data, load};

use super::ours::{LONG, repeat};
use crate::cart::{Items, add};
use crate::durable::fill;
use crate::durable::raw::{self, Layout};
use crate::durable::{ENTITIES, HISTORY};
use crate::harness::{Contender, Plan};

/// Reads rows through SQL of its own.
struct ByHand {
    file: PathBuf,
    entities: usize,
    sql: &'static str,
    share: f64,
}

pub(super) fn long(plan: &Plan) -> Result<Box<dyn Contender>> {
    let file = file(plan, "raw-long.db", Layout::Bare, (1, LONG))?;
    let sql = "SELECT payload FROM journal WHERE entity = ?1 ORDER BY offset";
    Ok(Box::new(ByHand {
        file,
        entities: 1,
        sql,
        share: 0.3,
    }))
}

pub(super) fn many(plan: &Plan) -> Result<Box<dyn Contender>> {
    let entities = plan.scaled(ENTITIES);
    let file = file(plan, "raw-many.db", Layout::Indexed, (entities, HISTORY))?;
    let sql = "SELECT payload FROM journal WHERE entity = ?1 ORDER BY sequence";
    Ok(Box::new(ByHand {
        file,
        entities,
        sql,
        share: 0.5,
    }))
}

/// Rows as large as ours that begin with an event.
fn file(plan: &Plan, name: &str, layout: Layout, size: (usize, usize)) -> Result<PathBuf> {
    let events = load::runtime()?.block_on(fill::events())?;
    let bytes = raw::payload(plan)?.len();
    let payload = |number: usize| {
        let mut payload = events[number % events.len()].payload.clone();
        payload.resize(bytes, 0);
        payload
    };
    raw::file(plan, name, layout, size, &mut { payload })
}

impl Contender for ByHand {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        let conn = reader(&self.file)?;
        let recover = async || {
            let start = Instant::now();
            for entity in 0..self.entities {
                let items = items(&conn, self.sql, entity)?;
                ensure!(items.len() == data::PRODUCTS, "everything is there");
            }
            Ok(start.elapsed())
        };
        load::runtime()?.block_on(repeat(plan.seconds * self.share, recover))
    }
}

/// A connection for reading with the settings of ours.
pub(super) fn reader(file: &Path) -> Result<Connection> {
    let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    conn.execute_batch("PRAGMA cache_size = -16384; PRAGMA mmap_size = 0;")?;
    Ok(conn)
}

fn items(conn: &Connection, sql: &str, entity: usize) -> Result<Items> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([entity as i64])?;
    let mut items = Items::new();
    while let Some(row) = rows.next()? {
        let payload = row.get_ref(0)?.as_blob()?;
        let (event, _): ((String, String, u32), _) =
            bincode::serde::decode_from_slice(payload, bincode::config::standard())?;
        add(&mut items, &event.0, event.2);
    }
    Ok(items)
}
