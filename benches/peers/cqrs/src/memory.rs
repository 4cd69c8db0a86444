//! cqrs-es on its in-memory store.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use cqrs_es::CqrsFramework;
use cqrs_es::mem_store::MemStore;
use statefn_bench_kit::{Sample, data, load};

use crate::cart::{AddItem, Cart};

/// Entities that get their history at a time, before they are measured.
const BLOCK: usize = 5_000;

/// Commands a second on entities with `history` events each.
pub(crate) fn run(history: usize, seconds: f64) -> Result<Sample> {
    load::runtime()?.block_on(async {
        let cqrs = CqrsFramework::new(MemStore::<Cart>::default(), vec![], ());
        let add = async |entity: usize, number: usize| {
            let command = AddItem {
                product: data::product(number as u64).to_owned(),
                name: data::name(number as u64).to_owned(),
                quantity: 1,
            };
            let done = cqrs.execute(&data::entity(entity), command).await;
            done.map_err(|error| anyhow!("{error}"))
        };
        let (start, mut measured, mut commands) = (Instant::now(), Duration::ZERO, 0);
        while start.elapsed().as_secs_f64() < seconds {
            for entity in commands..commands + BLOCK {
                for number in 0..history {
                    add(entity, number).await?;
                }
            }
            let before = Instant::now();
            for entity in commands..commands + BLOCK {
                add(entity, history).await?;
            }
            measured += before.elapsed();
            commands += BLOCK;
        }
        Ok(Sample::of(commands as f64 / measured.as_secs_f64()))
    })
}
