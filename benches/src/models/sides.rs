//! The contenders: the same load on each kind of entity.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use fastrand::Rng;
use statefn::Runtime;
use statefn::store::Sqlite;
use statefn_bench_kit::{Caller, Sample, data, load};

use super::entities::{Journal, Note};
use crate::durable::ENTITIES;
use crate::harness::{Contender, Plan};

const CALLERS: usize = 256;

/// Bytes of a text that make 64 with its length.
const TEXT_BYTES: usize = data::PAYLOAD_BYTES - 1;

/// One call: by which runtime, to which entity, from which other one, with what text.
type Make<F> = fn(Runtime, usize, usize, String) -> F;

pub(super) fn events(plan: &Plan) -> Result<Box<dyn Contender>> {
    Models::new(plan, "model-events.db", |runtime, to, _, text| async move {
        let written = runtime.entity::<Journal>(data::entity(to)).write(text);
        written.await.expect("it is never rejected");
    })
}

pub(super) fn states(plan: &Plan) -> Result<Box<dyn Contender>> {
    Models::new(plan, "model-states.db", |runtime, to, _, text| async move {
        let written = runtime.entity::<Note>(data::entity(to)).write(text);
        written.await.expect("it is never rejected");
    })
}

pub(super) fn effects(plan: &Plan) -> Result<Box<dyn Contender>> {
    Models::new(
        plan,
        "model-effects.db",
        |runtime, to, from, text| async move {
            let from = runtime.entity::<Journal>(data::entity(from));
            let written = from.write_both(data::entity(to), text);
            written.await.expect("it is never rejected");
        },
    )
}

/// A store and the call that is made on it.
struct Models<F> {
    file: PathBuf,
    entities: usize,
    rounds: u64,
    make: Make<F>,
}

impl<F: Future<Output = ()> + Send + 'static> Models<F> {
    #[expect(clippy::new_ret_no_self, reason = "a family holds its entries boxed")]
    fn new(plan: &Plan, name: &str, make: Make<F>) -> Result<Box<dyn Contender>> {
        Ok(Box::new(Self {
            file: plan.folder.join(name),
            entities: plan.scaled(ENTITIES),
            rounds: 0,
            make,
        }))
    }
}

impl<F: Future<Output = ()> + Send + 'static> Contender for Models<F> {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        self.rounds += 1;
        let tokio = load::runtime()?;
        let runtime = tokio.block_on(async {
            let store = Sqlite::open(&self.file)?;
            let builder = Runtime::builder().only::<(Journal, Note)>();
            anyhow::Ok(builder.store(store).build().await?)
        })?;
        let (round, entities, make) = (self.rounds, self.entities, self.make);
        let sample = plan.load(0.7).callers(&tokio, CALLERS, 1, |caller| Writer {
            runtime: runtime.clone(),
            random: Rng::with_seed(round * 1_000_003 + caller as u64),
            entities,
            make,
        });
        let finished = tokio.block_on(runtime.shutdown(Duration::from_secs(30)))?;
        ensure!(finished, "accepted commands finish");
        Ok(sample)
    }

    fn facts(&self) -> Vec<String> {
        vec![
            "T16, T17: entities that are new, and in memory from their first command on; what is \
             stored of a command is 64 bytes beside the envelope. An effect's answer waits for two \
             commits, one after the other"
                .to_owned(),
        ]
    }
}

/// Writes to entities chosen at random.
struct Writer<F> {
    runtime: Runtime,
    random: Rng,
    entities: usize,
    make: Make<F>,
}

impl<F: Future<Output = ()> + Send + 'static> Caller for Writer<F> {
    async fn call(&mut self, number: u64) {
        let (to, from) = (
            self.random.usize(..self.entities),
            self.random.usize(..self.entities),
        );
        let text = format!("{number:TEXT_BYTES$}");
        (self.make)(self.runtime.clone(), to, from, text).await;
    }
}
