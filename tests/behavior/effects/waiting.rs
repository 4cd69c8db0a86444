//! A reply that waits for the answer of an effect.

use std::time::Duration;

use statefn::CallError;
use statefn::store::Memory;
use statefn_store::testing::{Call, Faulty};

use super::relay::{Relay, balances, relay};
use crate::kit::{World, pending, settle};

#[statefn::test]
async fn an_awaited_effect_has_taken_place_when_the_reply_comes() {
    let world = relay().await;
    let alice = world.runtime.entity::<Relay>("alice");
    assert_eq!(alice.pass_and_wait("bob", 3).await, Ok(-3));
    assert_eq!(balances(&world, ["bob"]).await, [3]);
}

#[statefn::test]
async fn the_sender_goes_on_while_its_reply_waits() {
    let world = relay().await;
    let alice = world.runtime.entity::<Relay>("alice");
    let load = world.store.hold(Call::Load);
    let waits = pending(alice.pass_and_wait("bob", 3));
    load.release_one();
    settle().await;
    // Bob is on his way into memory; alice answers others.
    let mut waits = waits;
    assert!(waits.answer().is_none());
    assert_eq!(alice.balance().await, Ok(-3));
    assert_eq!(alice.take(1).await, Ok(()));
    load.release();
    assert_eq!(waits.now().await, Ok(-3));
}

#[statefn::test]
async fn a_target_that_says_no_or_fails_changes_nothing_for_the_caller() {
    let world = relay().await;
    let alice = world.runtime.entity::<Relay>("alice");
    assert_eq!(alice.pass_and_wait("bob", 13).await, Ok(-13));
    assert_eq!(alice.pass_and_wait("bob", 666).await, Ok(-679));
}

#[statefn::test]
async fn p5_a_deadline_gives_the_senders_own_reply() {
    let world = relay().await;
    let alice = world.runtime.entity::<Relay>("alice");
    assert_eq!(alice.balance().await, Ok(0));
    let load = world.store.hold(Call::Load);
    let call = alice.pass_and_wait("bob", 3);
    let mut waits = pending(call.with_deadline(Duration::from_secs(1)));
    settle().await;
    assert!(waits.answer().is_none());
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(waits.now().await, Ok(-3));
    let mut waits = pending(alice.pass_and_wait("bob", 4));
    settle().await;
    assert!(waits.answer().is_none(), "no deadline of its own");
    world.clock.advance(Duration::from_secs(31));
    settle().await;
    assert_eq!(waits.now().await, Ok(-7));
    load.release();
    settle().await;
    assert!(!matches!(alice.balance().await, Err(CallError::Timeout)));
}

const SOON: Duration = Duration::from_secs(1);

#[statefn::test]
async fn p5_a_shutdown_gives_the_senders_own_reply_when_the_target_has_failed_before() {
    let world = relay().await;
    let alice = world.runtime.entity::<Relay>("alice");
    // Bob panics, and the next call for him stands behind this one.
    alice.pass("bob", 666).await.unwrap();
    settle().await;
    let mut waits = pending(alice.pass_and_wait("bob", 3));
    settle().await;
    assert!(waits.answer().is_none());
    assert!(world.runtime.shutdown(SOON).await.unwrap());
    assert_eq!(waits.now().await, Ok(-669));
}

#[statefn::test]
async fn p5_a_shutdown_gives_the_senders_own_reply_while_the_outbox_is_read() {
    let store = Faulty::new(Memory::new());
    let reads = store.hold(Call::Effects);
    let world = World::over(store, statefn::Builder::only::<(Relay,)>).await;
    let alice = world.runtime.entity::<Relay>("alice");
    let mut waits = pending(alice.pass_and_wait("bob", 3));
    settle().await;
    assert!(waits.answer().is_none());
    assert!(world.runtime.shutdown(SOON).await.unwrap());
    assert_eq!(waits.now().await, Ok(-3));
    drop(reads);
}

#[statefn::test]
async fn p5_a_command_that_commits_during_a_shutdown_does_not_wait_for_its_effect() {
    let world = relay().await;
    let alice = world.runtime.entity::<Relay>("alice");
    assert_eq!(alice.balance().await, Ok(0));
    let commits = world.store.hold(Call::Commit);
    let waits = pending(alice.pass_and_wait("bob", 3));
    let stops = pending(Box::pin(world.runtime.shutdown(SOON)));
    commits.release();
    assert_eq!(waits.now().await, Ok(-3));
    assert!(stops.now().await.unwrap());
}
