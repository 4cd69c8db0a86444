//! When an async command starts, who waits for it meanwhile, and what it leaves.

use std::time::Duration;

use statefn::{CallError, Limits, Overload};
use statefn_store::testing::Call;

use super::courier::{Door, courier, world, world_with};
use crate::kit::{at_once, pending, settle};

#[statefn::test]
async fn p2_an_async_command_starts_when_every_earlier_write_has_committed() {
    let world = world().await;
    let (ann, door) = (courier(&world, "starts"), Door::of("starts"));
    assert_eq!(ann.notes().await, Ok(vec![]));
    let commits = world.store.hold(Call::Commit);
    let first = pending(ann.note(1));
    let waits = pending(ann.wait_and_note(2));
    let behind = pending(ann.note(3));
    assert_eq!(
        door.arrived().await,
        0,
        "what it could tell is not committed"
    );
    commits.release();
    assert_eq!(first.now().await, Ok(()));
    assert_eq!(door.arrived().await, 1);
    door.open();
    assert_eq!(waits.now().await, Ok(vec![1, 2, -2]));
    assert_eq!(behind.now().await, Ok(()));
    assert_eq!(ann.notes().await, Ok(vec![1, 2, -2, 3]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p2_the_reply_of_an_async_command_waits_for_its_own_commit() {
    let world = world().await;
    let (ann, door) = (courier(&world, "gated"), Door::of("gated"));
    door.open();
    let commits = world.store.hold(Call::Commit);
    let mut waits = pending(ann.wait_and_note(1));
    assert_eq!(door.left().await, 1, "its handler has returned");
    waits.assert_waits().await;
    commits.release();
    assert_eq!(waits.now().await, Ok(vec![1, -1]));
}

#[statefn::test]
async fn p3_an_entity_is_held_by_its_async_command_and_others_of_its_shard_go_on() {
    let world = world().await;
    let (ann, bob) = (courier(&world, "held"), courier(&world, "free"));
    let door = Door::of("held");
    assert_eq!(bob.notes().await, Ok(vec![]));
    let waits = pending(ann.wait_and_note(1));
    let mut write = pending(ann.note(2));
    let mut query = pending(ann.notes());
    let second = pending(ann.wait_and_note(3));
    write.assert_waits().await;
    query.assert_waits().await;
    assert_eq!(bob.note(7).await, Ok(()));
    assert_eq!(at_once(bob.notes()), Ok(vec![7]));
    door.open();
    door.open();
    assert_eq!(waits.now().await, Ok(vec![1, -1]));
    assert_eq!(write.now().await, Ok(()));
    assert_eq!(query.now().await, Ok(vec![1, -1, 2]));
    assert_eq!(second.now().await, Ok(vec![1, -1, 2, 3, -3]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p4_a_rejection_of_an_async_command_leaves_nothing() {
    let world = world().await;
    let (ann, door) = (courier(&world, "refuses"), Door::of("refuses"));
    let refused = pending(ann.wait_and_refuse());
    door.open();
    let refused = refused.now().await;
    assert_eq!(refused, Err(CallError::Rejected("no".to_owned())));
    assert_eq!(ann.notes().await, Ok(vec![]));
    world.runtime.crash().await.unwrap();
    assert_eq!(ann.notes().await, Ok(vec![]));
}

#[statefn::test]
async fn p6_an_async_command_under_a_key_takes_effect_at_most_once() {
    let world = world().await;
    let (ann, door) = (courier(&world, "keyed"), Door::of("keyed"));
    let first = pending(ann.wait_and_note(1).with_key("k"));
    let again = pending(ann.wait_and_note(1).with_key("k"));
    let other = pending(ann.wait_and_note(2).with_key("k"));
    door.open();
    assert_eq!(first.now().await, Ok(vec![1, -1]));
    assert_eq!(again.now().await, Ok(vec![1, -1]));
    assert!(matches!(
        other.now().await,
        Err(CallError::KeyReused { .. })
    ));
    world.runtime.crash().await.unwrap();
    assert_eq!(ann.wait_and_note(1).with_key("k").await, Ok(vec![1, -1]));
    assert_eq!(ann.notes().await, Ok(vec![1, -1]));
    assert_eq!(door.arrived().await, 1);
}

#[statefn::test]
async fn p6_a_key_that_the_store_must_be_asked_for_holds_back_an_async_command() {
    let limits = Limits {
        keys_max: 1,
        ..Limits::default()
    };
    let world = world_with(limits).await;
    let (ann, door) = (courier(&world, "looked up"), Door::of("looked up"));
    door.open();
    assert_eq!(ann.wait_and_note(1).with_key("old").await, Ok(vec![1, -1]));
    for key in ["a", "b", "c"] {
        assert_eq!(ann.note(2).with_key(key).await, Ok(()));
    }
    let lookups = world.store.hold(Call::FindRecord);
    let again = pending(ann.wait_and_note(1).with_key("old"));
    let fresh = pending(ann.wait_and_note(5).with_key("new"));
    settle().await;
    lookups.release();
    assert_eq!(again.now().await, Ok(vec![1, -1]));
    door.open();
    let notes = vec![1, -1, 2, 2, 2, 5, -5];
    assert_eq!(fresh.now().await, Ok(notes));
}

#[statefn::test]
async fn p7_what_an_async_command_wrote_is_there_after_a_crash() {
    let world = world().await;
    let (ann, door) = (courier(&world, "replayed"), Door::of("replayed"));
    for number in 1..=3 {
        door.open();
        ann.wait_and_note(number).await.unwrap();
        ann.note(10).await.unwrap();
    }
    let live = ann.notes().await;
    world.runtime.crash().await.unwrap();
    assert_eq!(ann.notes().await, live);
    assert_eq!(live.unwrap(), [1, -1, 10, 2, -2, 10, 3, -3, 10]);
}

#[statefn::test]
async fn p8_those_who_wait_for_an_async_command_fill_the_mailbox() {
    let limits = Limits {
        mailbox_max: 2,
        ..Limits::default()
    };
    let world = world_with(limits).await;
    let (ann, door) = (courier(&world, "full"), Door::of("full"));
    assert_eq!(ann.notes().await, Ok(vec![]));
    let waits = pending(ann.wait_and_note(1));
    let (second, third) = (pending(ann.note(2)), pending(ann.note(3)));
    let fourth = at_once(ann.note(4));
    assert_eq!(fourth, Err(CallError::Overloaded(Overload::Mailbox)));
    door.open();
    assert!(waits.now().await.is_ok());
    assert_eq!((second.now().await, third.now().await), (Ok(()), Ok(())));
    assert_eq!(ann.notes().await, Ok(vec![1, -1, 2, 3]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p8_a_held_entity_never_leaves_memory() {
    let limits = Limits {
        residents_max: 1,
        passivate_after: Duration::from_secs(1),
        call_timeout: Duration::from_secs(60),
        ..Limits::default()
    };
    let world = world_with(limits).await;
    let (ann, bob) = (courier(&world, "stays"), courier(&world, "comes"));
    let door = Door::of("stays");
    let waits = pending(ann.wait_and_note(1));
    assert_eq!(door.arrived().await, 1);
    let refused = bob.notes().await;
    assert_eq!(refused, Err(CallError::Overloaded(Overload::Residents)));
    world.pass(Duration::from_secs(5)).await;
    assert_eq!(world.runtime.admin().residents(), 1);
    door.open();
    assert_eq!(waits.now().await, Ok(vec![1, -1]));
    assert_eq!(bob.notes().await, Ok(vec![]), "now there is room");
    world.assert_quiet().await;
}
