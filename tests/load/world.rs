//! A store on a real disk, a runtime on it, and the entities that are called.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use statefn::command::Command;
use statefn::env::{Env, TokioEnv};
use statefn::prelude::*;
use statefn::{Call, Infallible, Limits};
use statefn_store::testing::{Call as StoreCall, Faulty};
use tempfile::TempDir;

use super::book::Book;
use super::meter::{Meter, MeterRef};

/// What is wrong with the machine, not with us: no folder, no thread.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long a runtime may take to finish what it has accepted.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with one store, and the book of what was told of it.
#[derive(Debug)]
pub(super) struct Ground {
    /// Removed when a run is over.
    _folder: TempDir,
    pub(super) file: PathBuf,
    pub(super) book: Arc<Book>,
}

impl Ground {
    /// A new store in `folder`, or where temporary files go.
    pub(super) fn new(folder: Option<&Path>) -> Result<Self, Failure> {
        let prefix = "statefn-load-";
        let folder = match folder {
            Some(parent) => TempDir::with_prefix_in(prefix, parent)?,
            None => TempDir::with_prefix(prefix)?,
        };
        Ok(Self {
            file: folder.path().join("store.db"),
            _folder: folder,
            book: Arc::default(),
        })
    }
}

/// A runtime under load.
pub(super) struct World {
    pub(super) runtime: Runtime,
    pub(super) store: Faulty,
    pub(super) limits: Limits,
    pub(super) meters: Vec<MeterRef>,
    pub(super) book: Arc<Book>,
    /// Bytes of an event beyond its number, unless a stage says otherwise.
    pub(super) padding: u64,
}

/// What a world is made of.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) limits: Limits,
    pub(super) entities: usize,
    pub(super) padding: u64,
    /// How much longer than this machine's disk a commit takes.
    pub(super) delay: Option<Duration>,
}

impl World {
    pub(super) async fn open(ground: &Ground, shape: &Shape) -> Result<Arc<Self>, Failure> {
        let store = Faulty::new(Sqlite::open(&ground.file)?);
        if let Some(delay) = shape.delay {
            let env = TokioEnv::current()?;
            store.sleep_with(move |duration| env.sleep(duration));
            store.delay(StoreCall::Commit, delay);
        }
        let builder = Runtime::builder().store(store.clone());
        let builder = builder.limits(shape.limits.clone()).only::<(Meter,)>();
        let runtime = builder.build().await?;
        let names = 0..shape.entities;
        let meters = names.map(|number| runtime.entity::<Meter>(format!("meter-{number}")));
        Ok(Arc::new(Self {
            meters: meters.collect(),
            runtime,
            store,
            limits: shape.limits.clone(),
            book: Arc::clone(&ground.book),
            padding: shape.padding,
        }))
    }

    /// The call of a command, to whichever entity its number leads to.
    pub(super) fn tick(
        &self,
        number: u64,
        padding: u64,
    ) -> Option<Call<impl Command<Reply = u64, Error = Infallible> + use<>>> {
        let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let index = usize::try_from(spread).unwrap_or(0) % self.meters.len().max(1);
        let meter = self.meters.get(index)?;
        Some(meter.tick(number, padding))
    }

    /// Brings every entity into memory.
    pub(super) async fn warm(&self) -> Result<(), Failure> {
        for meter in &self.meters {
            meter.count().await?;
        }
        Ok(())
    }

    /// Whether everything that was accepted is answered.
    pub(super) async fn close(&self) -> Result<bool, Failure> {
        Ok(self.runtime.shutdown(PATIENCE).await?)
    }
}

/// The machine's clock: what a load is measured by.
#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Threads as a user of this size has them.
pub(super) fn threads() -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    Ok(builder.worker_threads(2).enable_time().build()?)
}
