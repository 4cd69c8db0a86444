//! A command that fails has changed nothing; one that changes nothing stores nothing.

use statefn::store::Offset;
use statefn::store::Store;
use statefn::{CallError, Limits, Persisted};

use super::note::{Full, Note};
use super::{kinds, world};
use crate::kit::World;

#[statefn::test]
async fn a_rejected_command_leaves_the_state_as_it_was() {
    let world = world().await;
    let note = world.runtime.entity::<Note>("a");
    for line in ["1", "2", "3"] {
        note.add(line).await.unwrap();
    }
    let refused = note.add("4").await;
    assert_eq!(refused, Err(CallError::Rejected(Full { max: 3 })));
    assert_eq!(note.lines().await.unwrap(), ["1", "2", "3"]);
    assert_eq!(kinds(&world).await, "sss");
}

#[statefn::test]
async fn a_panic_leaves_the_state_as_it_was() {
    let world = world().await;
    let note = world.runtime.entity::<Note>("a");
    note.add("1").await.unwrap();
    let panicked = note.add_and_panic("2").await;
    assert!(matches!(panicked, Err(CallError::Panicked { .. })));
    assert_eq!(note.lines().await.unwrap(), ["1"]);
    assert_eq!(note.add("2").await, Ok(2));
    assert_eq!(kinds(&world).await, "ss");
}

#[statefn::test]
async fn unchanged_bytes_store_nothing() {
    let world = world().await;
    let note = world.runtime.entity::<Note>("a");
    assert_eq!(note.fidget().await, Ok(0));
    assert_eq!(kinds(&world).await, "", "the default state is not stored");
    note.add("1").await.unwrap();
    assert_eq!(note.fidget().await, Ok(1));
    world.runtime.crash().await.unwrap();
    assert_eq!(note.fidget().await, Ok(1), "also after a recovery");
    assert_eq!(kinds(&world).await, "s");
}

#[statefn::test]
async fn a_key_of_an_unchanged_command_is_remembered() {
    let world = world().await;
    let note = world.runtime.entity::<Note>("a");
    for _ in 0..2 {
        assert_eq!(note.fidget().with_key("k").await, Ok(0));
        assert_eq!(note.add("1").with_key("l").await, Ok(1));
        world.runtime.crash().await.unwrap();
    }
    assert_eq!(note.lines().await.unwrap(), ["1"]);
    assert_eq!(kinds(&world).await, "rS");
}

#[statefn::test]
async fn a_state_above_the_limit_is_refused_and_the_one_before_stays() {
    let limits = Limits {
        snapshot_bytes_max: 100,
        ..Limits::default()
    };
    let world = World::build(|builder| builder.only::<(Note,)>().limits(limits)).await;
    let note = world.runtime.entity::<Note>("a");
    note.add("1").await.unwrap();
    let error = note.add("x".repeat(100)).await.unwrap_err();
    assert!(matches!(error, CallError::TooLarge { bytes, limit: 100, .. } if bytes > 100));
    assert_eq!(error.persisted(), Persisted::No);
    assert_eq!(note.lines().await.unwrap(), ["1"]);
    // One vector's length, one string's length, 95 letters: exactly the limit is fine.
    assert_eq!(note.add("x".repeat(96)).await, Ok(2));
}

#[statefn::test]
async fn every_change_raises_the_sequence_number() {
    let world = world().await;
    let note = world.runtime.entity::<Note>("a");
    assert_eq!(note.number().await, Ok((0, 1)));
    note.fidget().await.unwrap();
    assert_eq!(note.number().await, Ok((1, 2)));
    world.runtime.crash().await.unwrap();
    assert_eq!(note.number().await, Ok((2, 3)));
    let entries = world.store.read(Offset::new(1), 10).await.unwrap();
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.sequence.get()).collect();
    assert_eq!(numbers, [1, 2, 3]);
}
