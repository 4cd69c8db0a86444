//! T11 and T12, our side: an entity that is not in memory answers a query.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use statefn::Runtime;
use statefn_bench_kit::{Sample, data, load};

use crate::cart::ours::{Cart, LongCart};
use crate::durable::fill::{self, Filling};
use crate::durable::{self, ours};
use crate::harness::{Contender, Plan, summary};

/// Events of the long history.
pub(super) const LONG: usize = 100_000;

struct Long {
    file: PathBuf,
}

pub(super) fn long(plan: &Plan) -> Result<Box<dyn Contender>> {
    let filling = Filling {
        entity_type: "long-cart",
        entities: 1,
        events: LONG,
    };
    Ok(Box::new(Long {
        file: fill::file(plan, "long.db", &filling)?,
    }))
}

impl Contender for Long {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        load::runtime()?.block_on(async {
            let runtime = fill::open::<LongCart>(&self.file).await?;
            let cart = runtime.entity::<LongCart>(data::entity(0));
            let recover = async || {
                forget(&runtime).await?;
                let start = Instant::now();
                ensure!(
                    cart.products().await? == data::PRODUCTS,
                    "everything is there"
                );
                Ok(start.elapsed())
            };
            let sample = repeat(plan.seconds * 0.3, recover).await?;
            runtime.shutdown(Duration::from_secs(30)).await?;
            Ok(sample)
        })
    }
}

struct Many {
    file: PathBuf,
    entities: usize,
}

pub(super) fn many(plan: &Plan) -> Result<Box<dyn Contender>> {
    let file = fill::copy(plan, &fill::usual(plan)?, "recovered.db")?;
    Ok(Box::new(Many {
        file,
        entities: plan.scaled(durable::ENTITIES),
    }))
}

impl Contender for Many {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        load::runtime()?.block_on(async {
            let runtime = fill::open::<Cart>(&self.file).await?;
            let carts = ours::carts(&runtime, self.entities);
            let recover = async || {
                forget(&runtime).await?;
                let start = Instant::now();
                for cart in carts.iter() {
                    ensure!(
                        cart.products().await? == data::PRODUCTS,
                        "everything is there"
                    );
                }
                Ok(start.elapsed())
            };
            let sample = repeat(plan.seconds * 0.5, recover).await?;
            runtime.shutdown(Duration::from_secs(30)).await?;
            Ok(sample)
        })
    }
}

/// Nothing stays in memory.
async fn forget(runtime: &Runtime) -> Result<()> {
    runtime.crash().await?;
    Ok(())
}

/// Does it once without counting, then for `seconds`, and takes the median in seconds.
pub(super) async fn repeat(
    seconds: f64,
    mut once: impl AsyncFnMut() -> Result<Duration>,
) -> Result<Sample> {
    once().await?;
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.is_empty() || start.elapsed().as_secs_f64() < seconds {
        times.push(once().await?.as_secs_f64());
    }
    Ok(Sample::of(summary::median(&times).unwrap_or_default()))
}
