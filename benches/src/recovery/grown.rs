//! T14: the same load on a store that has grown and on an empty one.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use statefn_bench_kit::{Sample, load};

use crate::cart::ours::Cart;
use crate::durable::fill::{self, Filling};
use crate::durable::ours::{Job, bring_in, carts, measure};
use crate::durable::{ENTITIES, HISTORY};
use crate::harness::{Contender, Plan};

/// Entities of the large store, with 10 events each.
const STORED: usize = 1_000_000;

const JOB: Job = Job {
    callers: 256,
    keyed: false,
    share: 1.0,
    median: false,
};

struct Full {
    file: PathBuf,
    rounds: u64,
}

pub(super) fn full(plan: &Plan) -> Result<Box<dyn Contender>> {
    let entities = plan.scaled(STORED);
    let filling = Filling {
        entity_type: "cart",
        entities,
        events: HISTORY,
    };
    Ok(Box::new(Full {
        file: fill::file(plan, "grown.db", &filling)?,
        rounds: 0,
    }))
}

struct Empty {
    rounds: u64,
}

pub(super) fn empty(_: &Plan) -> Result<Box<dyn Contender>> {
    Ok(Box::new(Empty { rounds: 0 }))
}

impl Contender for Full {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        self.rounds += 1;
        round(plan, &self.file, self.rounds)
    }

    fn facts(&self) -> Vec<String> {
        vec![
            "T14: 1,000,000 entities of 10 events each, of which 100,000 get commands; the empty \
             store is new in each round, the large one goes on growing"
                .to_owned(),
        ]
    }
}

impl Contender for Empty {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        self.rounds += 1;
        let folder = tempfile::tempdir_in(&plan.folder)?;
        round(plan, &folder.path().join("empty.db"), self.rounds)
    }
}

fn round(plan: &Plan, file: &std::path::Path, rounds: u64) -> Result<Sample> {
    let tokio = load::runtime()?;
    let runtime = tokio.block_on(fill::open::<Cart>(file))?;
    let carts = carts(&runtime, plan.scaled(ENTITIES));
    tokio.block_on(bring_in(&carts))?;
    let sample = measure(plan, &tokio, &carts, JOB, rounds);
    drop(carts);
    let finished = tokio.block_on(runtime.shutdown(Duration::from_secs(30)))?;
    ensure!(finished, "accepted commands finish");
    Ok(sample)
}
