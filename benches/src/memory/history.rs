//! T6: event-sourced commands on entities with 10 events of history, nothing on disk.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use eventually::Repository;
use eventually::inmemory::EventStore;
use statefn::Runtime;
use statefn_bench_kit::{Sample, data, load};

use crate::cart::{eventually as eventually_cart, ours};
use crate::harness::{Contender, Plan};
use crate::peer;

const SHARE: f64 = 0.3;
const EVENTS: usize = 10;

/// Entities that get their history at a time, before they are measured.
const BLOCK: usize = 5_000;

/// Gives blocks of entities their history, then measures one command on each. Commands a second.
async fn measure(
    seconds: f64,
    mut add: impl AsyncFnMut(usize, usize) -> Result<()>,
) -> Result<Sample> {
    let (start, mut measured, mut commands) = (Instant::now(), Duration::ZERO, 0);
    while start.elapsed().as_secs_f64() < seconds {
        for entity in commands..commands + BLOCK {
            for number in 0..EVENTS {
                add(entity, number).await?;
            }
        }
        let before = Instant::now();
        for entity in commands..commands + BLOCK {
            add(entity, EVENTS).await?;
        }
        measured += before.elapsed();
        commands += BLOCK;
    }
    Ok(Sample::of(commands as f64 / measured.as_secs_f64()))
}

struct Ours;

pub(super) fn ours(_: &Plan) -> Result<Box<dyn Contender>> {
    Ok(Box::new(Ours))
}

impl Contender for Ours {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        load::runtime()?.block_on(async {
            let runtime = Runtime::builder().build().await?;
            let add = async |entity, number: usize| {
                let number = number as u64;
                let cart = runtime.entity::<ours::Cart>(data::entity(entity));
                cart.add_item(data::product(number), data::name(number), 1)
                    .await?;
                Ok(())
            };
            measure(plan.seconds * SHARE, add).await
        })
    }
}

struct Eventually;

pub(super) fn eventually(_: &Plan) -> Result<Box<dyn Contender>> {
    Ok(Box::new(Eventually))
}

impl Contender for Eventually {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        load::runtime()?.block_on(async {
            let store = EventStore::default();
            let mut repository = Repository::new(eventually_cart::Cart.into(), store);
            let add = async |entity, number: usize| {
                let command = eventually_cart::AddItem {
                    product: data::product(number as u64).to_owned(),
                    name: data::name(number as u64).to_owned(),
                    quantity: 1,
                };
                let cart = repository.get(data::entity(entity)).await;
                let mut cart = cart.map_err(|error| anyhow!("{error}"))?;
                cart.handle(command).await?;
                repository
                    .add(cart)
                    .await
                    .map_err(|error| anyhow!("{error}"))?;
                Ok(())
            };
            measure(plan.seconds * SHARE, add).await
        })
    }
}

struct Cqrs;

pub(super) fn cqrs(_: &Plan) -> Result<Box<dyn Contender>> {
    Ok(Box::new(Cqrs))
}

impl Contender for Cqrs {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        let seconds = (plan.seconds * SHARE).to_string();
        peer::cqrs(plan, &["memory", &EVENTS.to_string(), &seconds])
    }

    fn facts(&self) -> Vec<String> {
        vec![
            "T6b: the in-memory store of cqrs-es is for tests and prints a line for each command \
             (here to /dev/null)"
                .to_owned(),
        ]
    }
}
