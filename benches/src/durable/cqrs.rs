//! cqrs-es on SQLite. Its file is filled from here: through cqrs-es it would take ten minutes.

use std::path::PathBuf;

use anyhow::Result;
use rusqlite::params;
use statefn_bench_kit::{Sample, data};

use super::raw;
use crate::harness::{Contender, Plan};
use crate::peer;

const CALLERS: usize = 64;
const SHARE: f64 = 0.7;

/// The tables that sqlite-es asks for.
const TABLES: &str = "
CREATE TABLE events (
  aggregate_type text NOT NULL,
  aggregate_id text NOT NULL,
  sequence integer CHECK (sequence >= 0) NOT NULL,
  event_type text NOT NULL,
  event_version text NOT NULL,
  payload text NOT NULL,
  metadata text NOT NULL,
  PRIMARY KEY (aggregate_type, aggregate_id, sequence)
) STRICT;
CREATE TABLE snapshots (
  aggregate_type text NOT NULL,
  aggregate_id text NOT NULL,
  last_sequence integer CHECK (last_sequence >= 0) NOT NULL,
  current_snapshot integer CHECK (current_snapshot >= 0) NOT NULL,
  payload text NOT NULL,
  PRIMARY KEY (aggregate_type, aggregate_id, last_sequence)
) STRICT;";

struct Cqrs {
    file: PathBuf,
    entities: usize,
}

pub(super) fn make(plan: &Plan) -> Result<Box<dyn Contender>> {
    let (file, entities) = (plan.folder.join("cqrs.db"), plan.scaled(super::ENTITIES));
    let mut conn = raw::open(&file)?;
    conn.execute_batch(TABLES)?;
    let tx = conn.transaction()?;
    for entity in 0..entities {
        for turn in 0..super::HISTORY {
            let (product, name) = (data::product(turn as u64), data::name(turn as u64));
            let payload = format!(
                r#"{{"ItemAdded":{{"product":"{product}","name":"{name}","quantity":1}}}}"#
            );
            tx.prepare_cached(
                "INSERT INTO events VALUES ('cart', ?1, ?2, 'ItemAdded', '1', ?3, '{}')",
            )?
            .execute(params![data::entity(entity), turn as i64 + 1, payload])?;
        }
    }
    tx.commit()?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(Box::new(Cqrs { file, entities }))
}

impl Contender for Cqrs {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        let file = format!("sqlite://{}", self.file.display());
        let (entities, callers) = (self.entities.to_string(), CALLERS.to_string());
        let seconds = (plan.seconds * SHARE).to_string();
        peer::cqrs(plan, &["sqlite", &file, &entities, &callers, &seconds])
    }

    fn facts(&self) -> Vec<String> {
        vec![
            "T10: sqlite-es with its own pool of 10 connections, WAL, and synchronous=FULL instead \
             of its default NORMAL; each caller has carts of its own, because cqrs-es answers \
             conflicts"
                .to_owned(),
        ]
    }
}
