//! P2, P4, P6 for effects: stored with their command, delivered after its commit, exactly once.

mod bounds;
mod crashes;
mod failures;
mod relay;
mod waiting;

use relay::{Relay, balances, relay};

use crate::kit::World;

#[statefn::test]
async fn p4_an_effect_takes_place_after_its_command_and_once() {
    let world = relay().await;
    let alice = world.runtime.entity::<Relay>("alice");
    assert_eq!(alice.pass("bob", 3).await, Ok(()));
    assert_eq!(world.runtime.settle().await, 0);
    assert_eq!(balances(&world, ["alice", "bob"]).await, [-3, 3]);
    assert_eq!(world.runtime.admin().outbox(), 0);
    assert!(dead(&world).await.is_empty());
}

#[statefn::test]
async fn p4_a_command_that_fails_sends_nothing() {
    let world = relay().await;
    let alice = world.runtime.entity::<Relay>("alice");
    alice.pass_and_refuse("bob", 3).await.unwrap_err();
    alice.pass_and_panic("bob", 3).await.unwrap_err();
    world.runtime.settle().await;
    assert_eq!(balances(&world, ["alice", "bob"]).await, [0, 0]);
}

#[statefn::test]
async fn p3_effects_between_two_entities_keep_their_order() {
    let world = relay().await;
    let alice = world.runtime.entity::<Relay>("alice");
    for number in 0..50 {
        alice.note_at("bob", number * 2, 2).await.unwrap();
    }
    world.runtime.settle().await;
    let bob = world.runtime.entity::<Relay>("bob");
    let expected: Vec<i64> = (0..100).collect();
    assert_eq!(bob.notes().await, Ok(expected));
}

#[statefn::test]
async fn an_effect_carries_its_metadata() {
    let world = relay().await;
    let alice = world.runtime.entity::<Relay>("alice");
    alice
        .tell("bob")
        .with_metadata("user", "carl")
        .await
        .unwrap();
    world.runtime.settle().await;
    let bob = world.runtime.entity::<Relay>("bob");
    assert_eq!(bob.heard().await, Ok(vec!["carl".to_owned()]));
}

/// All dead letters.
async fn dead(world: &World) -> Vec<statefn::store::DeadLetter> {
    let admin = world.runtime.admin();
    let from = statefn::store::OutboxNumber::ZERO;
    admin.dead_letters(from, 1_000).await.unwrap()
}
