//! Our side of the durable rows.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use fastrand::Rng;
use statefn::Runtime;
use statefn_bench_kit::{Caller, Sample, data, load};

use super::{envelope, fill};
use crate::cart::ours::{Cart, CartRef};
use crate::harness::{Contender, Plan};

/// Entities that are brought into memory at the same time before anything is measured.
const TOGETHER: usize = 64;

/// What is measured on a store of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) callers: usize,
    pub(crate) keyed: bool,
    pub(crate) share: f64,
    /// Whether the median of one caller counts instead of calls a second.
    pub(crate) median: bool,
}

/// A store of ours and what is done with it.
pub(super) struct Ours {
    pub(super) file: PathBuf,
    pub(super) entities: usize,
    pub(super) job: Job,
    /// Rounds so far: keys must not repeat.
    pub(super) rounds: u64,
    pub(super) facts: Vec<String>,
}

impl Ours {
    /// With the usual entities and their history.
    pub(super) fn with_history(plan: &Plan, name: &str, job: Job) -> Result<Box<dyn Contender>> {
        let file = fill::copy(plan, &fill::usual(plan)?, name)?;
        let fact = format!(
            "T7 to T10: an event of {} bytes is a row of {:.0} bytes in statefn's file; raw rows \
             are padded to the same",
            data::PAYLOAD_BYTES,
            envelope::row_bytes(plan)?
        );
        let entities = plan.scaled(super::ENTITIES);
        Ok(Box::new(Self {
            file,
            entities,
            job,
            rounds: 0,
            facts: vec![fact],
        }))
    }

    /// With a single new entity.
    pub(super) fn with_one(plan: &Plan, name: &str, job: Job) -> Result<Box<dyn Contender>> {
        let file = plan.folder.join(name);
        Ok(Box::new(Self {
            file,
            entities: 1,
            job,
            rounds: 0,
            facts: Vec::new(),
        }))
    }
}

impl Contender for Ours {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        self.rounds += 1;
        let tokio = load::runtime()?;
        let runtime = tokio.block_on(fill::open::<Cart>(&self.file))?;
        let carts = carts(&runtime, self.entities);
        tokio.block_on(bring_in(&carts))?;
        let sample = measure(plan, &tokio, &carts, self.job, self.rounds);
        drop(carts);
        let finished = tokio.block_on(runtime.shutdown(Duration::from_secs(30)))?;
        ensure!(finished, "accepted commands finish");
        Ok(if self.job.median {
            sample.median_counts()
        } else {
            sample
        })
    }

    fn facts(&self) -> Vec<String> {
        self.facts.clone()
    }
}

/// References to the first entities.
pub(crate) fn carts(runtime: &Runtime, count: usize) -> Arc<[CartRef]> {
    (0..count)
        .map(|number| runtime.entity::<Cart>(data::entity(number)))
        .collect()
}

/// Brings all of them into memory.
pub(crate) async fn bring_in(carts: &Arc<[CartRef]>) -> Result<()> {
    let task = |first| {
        let carts = Arc::clone(carts);
        tokio::spawn(async move {
            for cart in carts.iter().skip(first).step_by(TOGETHER) {
                cart.products().await?;
            }
            anyhow::Ok(())
        })
    };
    let tasks: Vec<_> = (0..TOGETHER).map(task).collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

/// Runs a job on entities in memory.
pub(crate) fn measure(
    plan: &Plan,
    tokio: &tokio::runtime::Runtime,
    carts: &Arc<[CartRef]>,
    job: Job,
    round: u64,
) -> Sample {
    let load = plan.load(job.share);
    load.callers(tokio, job.callers, 1, |caller| Shopper {
        carts: Arc::clone(carts),
        random: Rng::with_seed(round * 1_000_003 + caller as u64),
        key: job.keyed.then(|| format!("{round}-{caller}")),
    })
}

/// Puts things into carts chosen at random.
struct Shopper {
    carts: Arc<[CartRef]>,
    random: Rng,
    key: Option<String>,
}

impl Caller for Shopper {
    async fn call(&mut self, number: u64) {
        let cart = &self.carts[self.random.usize(..self.carts.len())];
        let add = cart.add_item(data::product(number), data::name(number), 1);
        let added = match &self.key {
            None => add.await,
            Some(key) => add.with_key(format!("{key}-{number}")).await,
        };
        added.expect("the quantity is positive");
    }
}
