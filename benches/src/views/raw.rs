//! The same rows kept by hand: upserts in a loop, nothing read and nothing decoded.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use rusqlite::params;
use statefn_bench_kit::{Sample, data};

use crate::durable::{ENTITIES, HISTORY, raw};
use crate::harness::{Contender, Plan};

/// Upserts of one transaction, as many as a projection reads entries at a time.
const TOGETHER: usize = 1_024;

struct Raw {
    file: PathBuf,
    rounds: u64,
}

pub(super) fn make(plan: &Plan) -> Result<Box<dyn Contender>> {
    Ok(Box::new(Raw {
        file: plan.folder.join("raw-views.db"),
        rounds: 0,
    }))
}

impl Contender for Raw {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        self.rounds += 1;
        let conn = raw::open(&self.file)?;
        let table = format!("wanted_{}", self.rounds);
        conn.execute_batch(&format!(
            "CREATE TABLE {table} (product TEXT PRIMARY KEY, quantity INTEGER NOT NULL) \
             STRICT, WITHOUT ROWID; \
             CREATE INDEX by_{table} ON {table} (quantity)"
        ))?;
        let upsert = format!(
            "INSERT INTO {table} (product, quantity) VALUES (?1, ?2) \
             ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity"
        );
        let events = plan.scaled(ENTITIES) * HISTORY;
        let begun = Instant::now();
        let mut number = 0;
        while number < events {
            conn.execute_batch("BEGIN IMMEDIATE")?;
            let mut statement = conn.prepare_cached(&upsert)?;
            for _ in 0..TOGETHER.min(events - number) {
                statement.execute(params![data::product(number as u64), 1])?;
                number += 1;
            }
            drop(statement);
            conn.execute_batch("COMMIT")?;
        }
        Ok(Sample::of(events as f64 / begun.elapsed().as_secs_f64()))
    }
}
