//! T1 to T3: one caller and one entity.

use std::sync::Arc;

use anyhow::Result;
use fastrand::Rng;
use kameo::actor::Spawn;
use statefn::Runtime;
use statefn_bench_kit::{Sample, load};

use super::peers::AsksRactor;
use super::shoppers::{Adds, AddsKameo, Asks};
use crate::cart::{Items, kameo as kameo_cart, ours, ractor as ractor_cart};
use crate::harness::{Contender, Plan};

const SHARE: f64 = 0.3;

struct OursInTask;

pub(super) fn ours_in_task(_: &Plan) -> Result<Box<dyn Contender>> {
    Ok(Box::new(OursInTask))
}

impl Contender for OursInTask {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        let load = plan.load(SHARE);
        let tokio = load::runtime()?;
        tokio.block_on(async {
            let runtime = Runtime::builder().build().await?;
            let carts = Arc::new([runtime.entity::<ours::Cart>("one")]);
            let asks = Asks {
                carts,
                random: Rng::with_seed(1),
            };
            Ok(tokio::spawn(load.one_caller(asks)).await?)
        })
    }
}

struct RactorInTask;

pub(super) fn ractor_in_task(_: &Plan) -> Result<Box<dyn Contender>> {
    Ok(Box::new(RactorInTask))
}

impl Contender for RactorInTask {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        let load = plan.load(SHARE);
        let tokio = load::runtime()?;
        tokio.block_on(async {
            let spawned = ractor::Actor::spawn(None, ractor_cart::Cart, Items::default());
            let (cart, ended) = spawned.await?;
            let asks = AsksRactor { cart: cart.clone() };
            let sample = tokio::spawn(load.one_caller(asks)).await?;
            cart.stop(None);
            ended.await?;
            Ok(sample)
        })
    }
}

struct OursOutside;

pub(super) fn ours_outside(_: &Plan) -> Result<Box<dyn Contender>> {
    Ok(Box::new(OursOutside))
}

impl Contender for OursOutside {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        let tokio = load::runtime()?;
        let runtime = tokio.block_on(Runtime::builder().build())?;
        let cart = runtime.entity::<ours::Cart>("one");
        let ask = move |_| {
            let products = cart.products().wait();
            products.expect("a query of a resident entity");
        };
        Ok(plan.load(SHARE).one_thread(ask))
    }
}

struct RactorOutside;

pub(super) fn ractor_outside(_: &Plan) -> Result<Box<dyn Contender>> {
    Ok(Box::new(RactorOutside))
}

impl Contender for RactorOutside {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        let tokio = load::runtime()?;
        let spawned = ractor::Actor::spawn(None, ractor_cart::Cart, Items::default());
        let (cart, ended) = tokio.block_on(spawned)?;
        let handle = tokio.handle().clone();
        let asked = cart.clone();
        let ask = move |_| {
            let answer = handle.block_on(ractor::rpc::call(
                &asked,
                ractor_cart::CartMessage::Products,
                None,
            ));
            answer.expect("an actor that runs").expect("an answer");
        };
        let sample = plan.load(SHARE).one_thread(ask);
        cart.stop(None);
        tokio.block_on(ended)?;
        Ok(sample)
    }
}

struct OursCommand;

pub(super) fn ours_command(_: &Plan) -> Result<Box<dyn Contender>> {
    Ok(Box::new(OursCommand))
}

impl Contender for OursCommand {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        let load = plan.load(SHARE);
        let tokio = load::runtime()?;
        tokio.block_on(async {
            let runtime = Runtime::builder().build().await?;
            let adds = Adds {
                cart: runtime.entity::<ours::Cart>("one"),
            };
            Ok(tokio::spawn(load.one_caller(adds)).await?)
        })
    }
}

struct KameoCommand;

pub(super) fn kameo_command(_: &Plan) -> Result<Box<dyn Contender>> {
    Ok(Box::new(KameoCommand))
}

impl Contender for KameoCommand {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        let load = plan.load(SHARE);
        let tokio = load::runtime()?;
        tokio.block_on(async {
            let cart = kameo_cart::Cart::spawn(kameo_cart::Cart::default());
            Ok(tokio::spawn(load.one_caller(AddsKameo { cart })).await?)
        })
    }
}
