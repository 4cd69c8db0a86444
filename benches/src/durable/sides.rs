//! The contenders of the durable rows, put together.

use std::path::PathBuf;

use anyhow::Result;
use fastrand::Rng;
use statefn_bench_kit::{Caller, Sample, load};
use tokio::sync::{mpsc, oneshot};

use super::envelope;
use super::ours::{Job, Ours};
use super::raw::{self, Grouping, Layout, Request, Writer};
use crate::harness::{Contender, Plan};

const MANY: Job = Job {
    callers: 256,
    keyed: false,
    share: 1.0,
    median: false,
};
const KEYED: Job = Job {
    keyed: true,
    ..MANY
};
const HOT: Job = Job { share: 0.7, ..MANY };
const ONE: Job = Job {
    callers: 1,
    keyed: false,
    share: 0.5,
    median: true,
};
const SIXTY_FOUR: Job = Job {
    callers: 64,
    keyed: false,
    share: 0.7,
    median: false,
};

pub(super) fn ours(plan: &Plan) -> Result<Box<dyn Contender>> {
    Ours::with_history(plan, "many.db", MANY)
}

pub(super) fn ours_keyed(plan: &Plan) -> Result<Box<dyn Contender>> {
    Ours::with_history(plan, "keyed.db", KEYED)
}

pub(super) fn ours_hot(plan: &Plan) -> Result<Box<dyn Contender>> {
    Ours::with_one(plan, "hot.db", HOT)
}

pub(super) fn ours_one(plan: &Plan) -> Result<Box<dyn Contender>> {
    Ours::with_history(plan, "one.db", ONE)
}

pub(super) fn ours_64(plan: &Plan) -> Result<Box<dyn Contender>> {
    Ours::with_history(plan, "sixty-four.db", SIXTY_FOUR)
}

pub(super) fn raw_indexed(plan: &Plan) -> Result<Box<dyn Contender>> {
    Raw::with_history(plan, "raw-indexed.db", Layout::Indexed, MANY)
}

pub(super) fn raw_bare(plan: &Plan) -> Result<Box<dyn Contender>> {
    Raw::with_history(plan, "raw-bare.db", Layout::Bare, MANY)
}

pub(super) fn raw_one(plan: &Plan) -> Result<Box<dyn Contender>> {
    Raw::with_history(plan, "raw-one.db", Layout::Bare, ONE)
}

pub(super) fn raw_strict(plan: &Plan) -> Result<Box<dyn Contender>> {
    let payload = raw::payload(plan)?;
    let file = raw::file(plan, "raw-strict.db", Layout::Indexed, (0, 0), &mut |_| {
        Vec::new()
    })?;
    Ok(Box::new(Raw {
        file,
        entities: 1,
        payload,
        job: HOT,
        grouping: Grouping::Strict,
    }))
}

/// A file by hand and what is done with it.
struct Raw {
    file: PathBuf,
    entities: usize,
    payload: Vec<u8>,
    job: Job,
    grouping: Grouping,
}

impl Raw {
    fn with_history(
        plan: &Plan,
        name: &str,
        layout: Layout,
        job: Job,
    ) -> Result<Box<dyn Contender>> {
        let entities = plan.scaled(super::ENTITIES);
        let payload = raw::payload(plan)?;
        let size = (entities, super::HISTORY);
        let file = raw::file(plan, name, layout, size, &mut |_| payload.clone())?;
        let difference = envelope::stored(&file)? - envelope::row_bytes(plan)?;
        anyhow::ensure!(
            difference.abs() < 3.0,
            "raw rows have {difference} bytes too many"
        );
        Ok(Box::new(Self {
            file,
            entities,
            payload,
            job,
            grouping: Grouping::Group,
        }))
    }
}

impl Contender for Raw {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        let tokio = load::runtime()?;
        let writer = Writer::start(&self.file, self.entities, self.grouping)?;
        let load = plan.load(self.job.share);
        let sample = load.callers(&tokio, self.job.callers, 1, |caller| Hands {
            requests: writer.requests(),
            random: Rng::with_seed(caller as u64),
            entities: self.entities,
            payload: self.payload.clone(),
        });
        writer.end()?;
        Ok(if self.job.median {
            sample.median_counts()
        } else {
            sample
        })
    }
}

/// Hands rows to the writer.
struct Hands {
    requests: mpsc::UnboundedSender<Request>,
    random: Rng,
    entities: usize,
    payload: Vec<u8>,
}

impl Caller for Hands {
    async fn call(&mut self, _: u64) {
        let (reply, answer) = oneshot::channel();
        let request = Request {
            entity: self.random.usize(..self.entities),
            payload: self.payload.clone(),
            reply,
        };
        assert!(self.requests.send(request).is_ok(), "the writer is there");
        answer.await.expect("the writer commits");
    }
}
