//! What a deletion takes with it, and what remains.

use std::time::Duration;

use statefn::{Builder, CallError};

use super::note::{Full, Note};
use super::{kinds, world};
use crate::account::Account;
use crate::kit::World;

#[statefn::test]
async fn a_deleted_entity_begins_anew_and_its_numbers_go_on() {
    let world = world().await;
    let note = world.runtime.entity::<Note>("a");
    note.add("1").await.unwrap();
    // The deletion wins over what the handler did to the state.
    assert_eq!(note.tear().await, Ok((vec!["1".to_owned()], 1)));
    assert_eq!(note.lines().await, Ok(Vec::new()));
    assert_eq!(note.number().await, Ok((2, 1)));
    world.runtime.crash().await.unwrap();
    assert_eq!(note.lines().await.unwrap(), ["2"]);
    assert_eq!(kinds(&world).await, "sds");
}

#[statefn::test]
async fn deleting_what_is_not_there_stores_nothing() {
    let world = world().await;
    let note = world.runtime.entity::<Note>("a");
    assert_eq!(note.tear().await, Ok((Vec::new(), 0)));
    note.add("1").await.unwrap();
    note.tear().await.unwrap();
    note.tear().await.unwrap();
    world.runtime.crash().await.unwrap();
    note.tear().await.unwrap();
    assert_eq!(kinds(&world).await, "sd");
}

#[statefn::test]
async fn a_failed_command_deletes_nothing_and_one_can_be_taken_back() {
    let world = world().await;
    let note = world.runtime.entity::<Note>("a");
    note.add("1").await.unwrap();
    let failed = note.fail_to_tear().await;
    assert_eq!(failed, Err(CallError::Rejected(Full { max: 0 })));
    note.hesitate().await.unwrap();
    assert_eq!(note.lines().await.unwrap(), ["1", "kept"]);
    assert_eq!(kinds(&world).await, "ss");
}

#[statefn::test]
async fn keys_outlive_the_deletion_for_as_long_as_ever() {
    let world = world().await;
    let note = world.runtime.entity::<Note>("a");
    for _ in 0..2 {
        assert_eq!(note.add("1").with_key("add").await, Ok(1));
        let torn = note.tear().with_key("tear").await.unwrap();
        assert_eq!(torn, (vec!["1".to_owned()], 1));
        world.runtime.crash().await.unwrap();
    }
    assert_eq!(kinds(&world).await, "SD");
    world.clock.advance(Duration::from_secs(25 * 60 * 60));
    assert_eq!(note.add("2").with_key("add").await, Ok(1));
    assert_eq!(note.lines().await.unwrap(), ["2"]);
}

#[statefn::test]
async fn a_passivated_entity_comes_back_deleted_or_not() {
    let world = world().await;
    let (kept, torn) = (
        world.runtime.entity::<Note>("kept"),
        world.runtime.entity::<Note>("torn"),
    );
    for note in [&kept, &torn] {
        note.add("1").await.unwrap();
    }
    torn.tear().await.unwrap();
    world.pass(Duration::from_secs(2)).await;
    assert_eq!(world.runtime.admin().residents(), 0);
    assert_eq!(kept.lines().await.unwrap(), ["1"]);
    assert_eq!(torn.lines().await, Ok(Vec::new()));
}

#[statefn::test]
async fn an_event_sourced_entity_is_deleted_after_its_last_event() {
    let world = World::build(Builder::only::<(Account,)>).await;
    let alice = world.account("alice");
    for _ in 0..4 {
        alice.add(5).await.unwrap();
    }
    assert_eq!(alice.close().await, Ok(0), "asked after the deletion");
    assert_eq!(alice.total().await, Ok(0));
    world.runtime.crash().await.unwrap();
    assert_eq!(alice.total().await, Ok(0));
    // Four events with a snapshot after the third, the last event, the deletion.
    assert_eq!(kinds(&world).await, "eeeeed");
    // It begins anew: snapshots too.
    for _ in 0..3 {
        alice.add(1).await.unwrap();
    }
    world.runtime.crash().await.unwrap();
    assert_eq!(alice.total().await, Ok(3));
    let verified = world.runtime.admin().verify().await.unwrap();
    assert!(verified.is_clean(), "{verified:?}");
    let history = world.runtime.admin();
    let history = history.history::<Account>("alice", statefn::SequenceNumber::ZERO, 100);
    let numbers: Vec<u64> = history
        .await
        .unwrap()
        .iter()
        .map(|e| e.sequence.get())
        .collect();
    assert_eq!(
        numbers,
        [7, 8, 9],
        "what was before the deletion is not shown"
    );
}

#[statefn::test]
async fn an_event_after_the_deletion_takes_it_back() {
    let world = World::build(Builder::only::<(Account,)>).await;
    let alice = world.account("alice");
    alice.add(5).await.unwrap();
    assert_eq!(alice.close_and_reopen(1).await, Ok(6));
    world.runtime.crash().await.unwrap();
    assert_eq!(alice.total().await, Ok(6));
    assert_eq!(kinds(&world).await, "ee");
}
