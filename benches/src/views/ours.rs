//! A projection that counts what was put in carts.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::projection::{HandlerError, KeptView, Projection, Sources, Start, ViewList, ViewOf};
use statefn_bench_kit::{Sample, load};

use crate::cart::ours::{Cart, CartEvent};
use crate::durable::fill;
use crate::harness::{Contender, Plan};

/// How much of a product is in all carts.
#[view(name = "wanted")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wanted {
    #[key]
    product: String,
    #[index]
    quantity: u64,
}

/// Not made by the attribute, which would have it run in every other row as well.
#[derive(Default)]
struct Demand;

impl Demand {
    fn added(
        _: &Self,
        event: &CartEvent,
        _: &Envelope<Cart>,
        views: &mut Views<Self>,
    ) -> Result<(), HandlerError> {
        let CartEvent::ItemAdded {
            product, quantity, ..
        } = event;
        let before = views.get::<Wanted>(product)?.map_or(0, |row| row.quantity);
        views.put(&Wanted {
            product: product.clone(),
            quantity: before + u64::from(*quantity),
        })?;
        Ok(())
    }
}

impl Projection for Demand {
    const NAME: &'static str = "demand";
    const VERSION: u32 = 1;
    const START: Start = Start::Beginning;

    fn sources(sources: &mut Sources<Self>) {
        sources.event::<Cart, CartEvent>(Self::added);
    }

    fn views(views: &mut ViewList) {
        views.view::<Wanted>();
    }
}

impl KeptView for Wanted {
    type Projection = Demand;
}

impl ViewOf<Demand> for Wanted {
    const PLACE: u16 = 0;
}

struct Ours {
    file: PathBuf,
}

pub(super) fn make(plan: &Plan) -> Result<Box<dyn Contender>> {
    let file = fill::copy(plan, &fill::usual(plan)?, "views.db")?;
    Ok(Box::new(Ours { file }))
}

impl Contender for Ours {
    fn round(&mut self, _: &Plan) -> Result<Sample> {
        let tokio = load::runtime()?;
        let store = Sqlite::open(&self.file)?;
        tokio.block_on(async {
            let builder = Runtime::builder().store(store).only::<(Cart,)>();
            let runtime = builder.projection::<Demand>().build().await?;
            let begun = Instant::now();
            let end = caught_up(&runtime).await?;
            let mut seconds = begun.elapsed().as_secs_f64();
            if seconds < 0.05 {
                // A round before has built it: now anew.
                let begun = Instant::now();
                runtime.admin().rebuild_projection("demand");
                caught_up(&runtime).await?;
                seconds = begun.elapsed().as_secs_f64();
            }
            let finished = runtime.shutdown(Duration::from_secs(30)).await?;
            ensure!(finished, "the runtime ends");
            Ok(Sample::of(end as f64 / seconds))
        })
    }
}

/// Waits until the projection serves and has folded everything; answers how much that is.
async fn caught_up(runtime: &Runtime) -> Result<u64> {
    loop {
        let status = runtime.admin().projections();
        let status = status.first().context("the projection runs")?;
        ensure!(status.errors == 0, "no handler fails: {status:?}");
        if status.serves && status.entries_behind() == 0 && status.offset.get() > 0 {
            return Ok(status.offset.get());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
