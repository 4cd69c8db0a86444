//! Targets that refuse, fail, or are not there.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::store::{EntryBody, Offset, OutboxNumber};
use statefn_store::testing::Faulty;
use std::time::Duration;

use super::dead;
use super::relay::{Relay, balances, relay};
use crate::account::Account;
use crate::kit::World;

#[statefn::test]
async fn a_rejection_is_a_delivery_and_stands_in_the_journal() {
    let world = relay().await;
    world
        .runtime
        .entity::<Relay>("alice")
        .pass("bob", 13)
        .await
        .unwrap();
    assert_eq!(world.runtime.settle().await, 0);
    assert_eq!(balances(&world, ["alice", "bob"]).await, [-13, 0]);
    assert!(dead(&world).await.is_empty());
    let admin = world.runtime.admin();
    assert_eq!(admin.outbox(), 0);
    let entries = statefn::store::Store::read(&world.store, Offset::new(1), 10)
        .await
        .unwrap();
    let keys: Vec<&str> = entries
        .iter()
        .filter_map(|entry| match &entry.body {
            EntryBody::Record(record) => Some(&*record.key),
            _ => None,
        })
        .collect();
    assert_eq!(keys, ["effect 1024"]);
}

/// Lets every attempt happen.
async fn wear_out(world: &World) {
    for _ in 0..20 {
        world.pass(Duration::from_millis(500)).await;
        world.clock.advance(Duration::from_secs(61));
        crate::kit::settle().await;
    }
    assert_eq!(world.runtime.settle().await, 0);
}

#[statefn::test]
async fn p9_a_target_that_always_panics_stops_its_sender_alone_and_not_for_ever() {
    let world = relay().await;
    let alice = world.runtime.entity::<Relay>("alice");
    alice.pass("bob", 666).await.unwrap();
    alice.pass("bob", 2).await.unwrap();
    alice.pass("carl", 5).await.unwrap();
    world
        .runtime
        .entity::<Relay>("dora")
        .pass("carl", 5)
        .await
        .unwrap();
    assert_eq!(world.runtime.settle().await, 2, "they wait");
    assert_eq!(balances(&world, ["carl"]).await, [10]);
    wear_out(&world).await;
    assert_eq!(balances(&world, ["bob"]).await, [2], "the pair goes on");
    let letters = dead(&world).await;
    assert_eq!(letters.len(), 1);
    assert!(
        letters[0].reason.contains("a cursed amount"),
        "{}",
        letters[0].reason
    );
    assert_eq!(letters[0].attempts, 12);
    assert_eq!(letters[0].effect.sender.id(), "alice");
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) struct Started;

/// Sends to a type that is there or not.
#[entity(event_sourced, name = "starter")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Starter;

#[entity]
impl Starter {
    #[command]
    fn start(&self, ctx: &mut Context<Self>) {
        ctx.effect(ctx.entity::<Account>("bob").add(5));
    }

    #[event_handler]
    fn apply(&mut self, _event: &Started) {}
}

#[statefn::test]
async fn an_unknown_type_is_a_dead_letter_until_a_program_knows_it() {
    let store = Faulty::new(statefn::store::Memory::new());
    let world = World::over(store.clone(), statefn::Builder::only::<(Starter,)>).await;
    let starter = world.runtime.entity::<Starter>("s");
    starter.start().await.unwrap();
    starter.start().await.unwrap();
    world.runtime.settle().await;
    let letters = dead(&world).await;
    assert_eq!(letters.len(), 2);
    assert_eq!(
        letters[0].reason,
        "this program has no entity type \"account\""
    );
    drop((starter, world));

    let world = World::over(store, statefn::Builder::only::<(Starter, Account)>).await;
    let admin = world.runtime.admin();
    let [first, second] = [letters[0].effect.number, letters[1].effect.number];
    assert!(admin.drop_letter(first).await.unwrap());
    assert!(!admin.drop_letter(first).await.unwrap());
    assert!(admin.retry_letter(second).await.unwrap());
    assert!(!admin.retry_letter(OutboxNumber::new(7)).await.unwrap());
    world.runtime.settle().await;
    assert_eq!(world.account("bob").total().await, Ok(5));
    assert!(dead(&world).await.is_empty());
}

#[statefn::test]
async fn a_cycle_of_effects_ends_with_a_dead_letter() {
    let world = relay().await;
    world.runtime.entity::<Relay>("a").ping("b").await.unwrap();
    world.runtime.settle().await;
    assert_eq!(balances(&world, ["a", "b"]).await, [33, 32]);
    let letters = dead(&world).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].reason, "it was caused by 64 effects in a row");
}
