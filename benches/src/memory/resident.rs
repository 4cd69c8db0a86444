//! T4: many callers and many entities, all of them in memory.

use std::sync::Arc;

use anyhow::Result;
use fastrand::Rng;
use kameo::actor::Spawn;
use statefn::Runtime;
use statefn_bench_kit::{Sample, data, load};

use super::shoppers::{Asks, AsksKameo};
use crate::cart::{kameo as kameo_cart, ours};
use crate::harness::{Contender, Plan};

const SHARE: f64 = 0.5;
const CALLERS: usize = 64;
const ENTITIES: usize = 100_000;

/// One call in this many is timed: two looks at the clock would be a good part of a call.
const TIMED: u64 = 16;

struct Ours;

pub(super) fn ours(_: &Plan) -> Result<Box<dyn Contender>> {
    Ok(Box::new(Ours))
}

impl Contender for Ours {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        let tokio = load::runtime()?;
        let runtime = tokio.block_on(Runtime::builder().build())?;
        let carts: Arc<[_]> = (0..ENTITIES)
            .map(|number| runtime.entity::<ours::Cart>(data::entity(number)))
            .collect();
        tokio.block_on(async {
            for cart in carts.iter() {
                cart.products().await?;
            }
            anyhow::Ok(())
        })?;
        let load = plan.load(SHARE);
        Ok(load.callers(&tokio, CALLERS, TIMED, |caller| Asks {
            carts: Arc::clone(&carts),
            random: Rng::with_seed(caller as u64),
        }))
    }
}

struct Kameo;

pub(super) fn kameo(_: &Plan) -> Result<Box<dyn Contender>> {
    Ok(Box::new(Kameo))
}

impl Contender for Kameo {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        let tokio = load::runtime()?;
        let carts: Arc<[_]> = tokio.block_on(async {
            let carts: Arc<[_]> = (0..ENTITIES)
                .map(|_| kameo_cart::Cart::spawn(kameo_cart::Cart::default()))
                .collect();
            for cart in carts.iter() {
                cart.ask(kameo_cart::Products).await?;
            }
            anyhow::Ok(carts)
        })?;
        let load = plan.load(SHARE);
        Ok(load.callers(&tokio, CALLERS, TIMED, |caller| AsksKameo {
            carts: Arc::clone(&carts),
            random: Rng::with_seed(caller as u64),
        }))
    }
}
