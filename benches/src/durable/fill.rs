//! Stores of ours with a history, written through the store's own contract in large batches.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use statefn::entity::Behavior;
use statefn::store::{
    Batch, EntryBody, Member, NewEvent, Outcome, PersistenceId, Sqlite, Store, Timestamp,
};
use statefn::{Offset, Runtime, SequenceNumber};
use statefn_bench_kit::data;

use crate::cart::ours;
use crate::harness::Plan;

/// Members of one batch.
const BATCH: usize = 4_096;

/// What a store is filled with.
pub(crate) struct Filling {
    pub(crate) entity_type: &'static str,
    pub(crate) entities: usize,
    /// Events of each entity. They come in turns: one of each entity, then the next.
    pub(crate) events: usize,
}

/// One event for each product, as the runtime would store them.
pub(crate) async fn events() -> Result<Vec<NewEvent>> {
    let store = statefn::store::Memory::new();
    let runtime = Runtime::builder().store(store.clone()).build().await?;
    let cart = runtime.entity::<ours::Cart>("model");
    for number in 0..data::PRODUCTS as u64 {
        cart.add_item(data::product(number), data::name(number), 1)
            .await?;
    }
    let entries = store.read(Offset::ZERO, usize::MAX).await?;
    let event = |body| match body {
        EntryBody::Event { event, .. } => Some(event),
        _ => None,
    };
    let events: Vec<NewEvent> = entries
        .into_iter()
        .filter_map(|entry| event(entry.body))
        .collect();
    ensure!(events.len() == data::PRODUCTS, "one event for each product");
    for event in &events {
        ensure!(
            event.payload.len() == data::PAYLOAD_BYTES,
            "payloads have the size they say"
        );
    }
    Ok(events)
}

/// Fills a store; its entities get numbers from 0.
pub(crate) async fn fill(store: &dyn Store, filling: &Filling) -> Result<()> {
    let events = events().await?;
    let epoch = store.claim().await?;
    let time = Timestamp::from_millis(1_700_000_000_000);
    let mut batch = Vec::with_capacity(BATCH);
    for turn in 0..filling.events {
        let expected = SequenceNumber::new(turn as u64);
        for number in shuffled(turn, filling.entities) {
            let id = PersistenceId::new(filling.entity_type, data::entity(number));
            let mut member = Member::new(id, expected, time);
            let event = events.get((turn + number) % events.len());
            member.events.extend(event.cloned());
            batch.push(member);
            if batch.len() == BATCH {
                let members = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                commit(store, Batch { epoch, members }).await?;
            }
        }
    }
    commit(
        store,
        Batch {
            epoch,
            members: batch,
        },
    )
    .await?;
    Ok(())
}

async fn commit(store: &dyn Store, batch: Batch) -> Result<()> {
    let outcomes = store.commit(batch).await?;
    let committed = |outcome: &Outcome| matches!(outcome, Outcome::Committed { .. });
    ensure!(outcomes.iter().all(committed), "every member is new");
    Ok(())
}

/// The numbers of all entities in an order of this turn's own.
pub(super) fn shuffled(turn: usize, entities: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..entities).collect();
    fastrand::Rng::with_seed(turn as u64).shuffle(&mut numbers);
    numbers
}

/// A closed store file with the usual history, filled at the first call of a run.
pub(crate) fn usual(plan: &Plan) -> Result<PathBuf> {
    let filling = Filling {
        entity_type: "cart",
        entities: plan.scaled(super::ENTITIES),
        events: super::HISTORY,
    };
    file(plan, "usual.db", &filling)
}

/// A closed store file of that name, filled at the first call of a run.
pub(crate) fn file(plan: &Plan, name: &str, filling: &Filling) -> Result<PathBuf> {
    let path = plan.folder.join(name);
    if path.exists() {
        return Ok(path);
    }
    let tokio = statefn_bench_kit::load::runtime()?;
    tokio.block_on(async {
        let store = Sqlite::open(&path)?;
        fill(&store, filling).await?;
        store.close().await?;
        anyhow::Ok(path)
    })
}

/// A copy of a closed store for somebody alone.
pub(crate) fn copy(plan: &Plan, from: &Path, name: &str) -> Result<PathBuf> {
    let to = plan.folder.join(name);
    std::fs::copy(from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(to)
}

/// A runtime on a store file, with the defaults.
pub(crate) async fn open<E: Behavior>(path: &Path) -> Result<Runtime> {
    let store = Sqlite::open(path)?;
    Ok(Runtime::builder()
        .register::<E>()
        .store(store)
        .build()
        .await?)
}
