//! Entities that are CRDTs: stored as deltas, undone when they fail, deleted for good.

use std::cell::Cell;

use serde::{Deserialize, Serialize};
use statefn::crdt::{Crdt, GCounter, OrSet, ReplicaId};
use statefn::prelude::*;
use statefn::store::{EntryBody, Offset, Store};
use statefn::testing::Scenario;
use statefn::{Builder, CallError, Persisted};

use crate::kit::World;

thread_local! {
    static CLONES: Cell<usize> = const { Cell::new(0) };
}

/// An element that counts how often it is cloned.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
struct Tag(u32);

impl Clone for Tag {
    fn clone(&self) -> Self {
        CLONES.set(CLONES.get() + 1);
        Self(self.0)
    }
}

#[entity(crdt, name = "board", snapshot_every = 4)]
#[derive(Clone, Debug, Default, PartialEq, Crdt, Serialize, Deserialize)]
struct Board {
    tags: OrSet<Tag>,
    changes: GCounter,
}

#[entity]
impl Board {
    #[command]
    fn add(&mut self, ctx: &mut Context<Self>, tag: u32) -> usize {
        self.tags.insert(ctx.writer(), Tag(tag));
        self.changes.increment(ctx.writer(), 1);
        self.tags.len()
    }

    #[command]
    fn fill(&mut self, ctx: &mut Context<Self>, count: u32) {
        for tag in 0..count {
            self.tags.insert(ctx.writer(), Tag(tag));
        }
    }

    #[command]
    fn remove(&mut self, tag: u32) -> bool {
        self.tags.remove(&Tag(tag))
    }

    #[command]
    fn add_and_refuse(&mut self, ctx: &mut Context<Self>, tag: u32) -> Result<(), String> {
        self.tags.insert(ctx.writer(), Tag(tag));
        self.tags.remove(&Tag(0));
        Err("no".to_owned())
    }

    #[command]
    fn clear_and_panic(&mut self) {
        self.tags.clear();
        panic!("on purpose");
    }

    #[command]
    fn end(&mut self, ctx: &mut Context<Self>) -> usize {
        ctx.delete();
        self.tags.len()
    }

    #[query]
    fn state(&self) -> Board {
        self.clone()
    }

    #[query]
    fn list(&self) -> Vec<u32> {
        self.tags.iter().map(|tag| tag.0).collect()
    }
}

async fn world() -> World {
    world_of(7).await
}

async fn world_of(replica: u64) -> World {
    World::build(|builder| builder.only::<(Board,)>().replica(ReplicaId::new(replica))).await
}

async fn kinds(world: &World) -> String {
    let entries = world.store.read(Offset::new(1), 1_000).await.unwrap();
    let kinds = entries.iter().map(|entry| match entry.body {
        EntryBody::Event { .. } => 'e',
        EntryBody::Deleted { .. } => 'd',
        EntryBody::Erased { .. } => '_',
        _ => '?',
    });
    kinds.collect()
}

#[tokio::test]
async fn each_change_is_one_delta_and_no_change_is_none() {
    let world = world().await;
    let board = world.runtime.entity::<Board>("a");
    assert_eq!(board.add(1).await, Ok(1));
    assert_eq!(board.remove(2).await, Ok(false));
    assert_eq!(board.add(2).await, Ok(2));
    assert_eq!(board.remove(1).await, Ok(true));
    assert_eq!(board.remove(1).await, Ok(false));
    assert_eq!(kinds(&world).await, "eee");
    world.runtime.crash().await.unwrap();
    assert_eq!(board.list().await, Ok(vec![2]));
}

#[tokio::test]
async fn a_command_that_fails_leaves_nothing() {
    let world = world().await;
    let board = world.runtime.entity::<Board>("a");
    board.fill(3).await.unwrap();
    let before = board.state().await.unwrap();
    let answer = board.add_and_refuse(9).await;
    assert_eq!(answer, Err(CallError::Rejected("no".to_owned())));
    assert_eq!(board.state().await.unwrap(), before);
    let answer = board.clear_and_panic().await;
    assert!(matches!(answer, Err(CallError::Panicked { .. })));
    assert_eq!(board.state().await.unwrap(), before);
    assert_eq!(kinds(&world).await, "e");
    // What was left out of the state is left out of the next delta as well.
    board.add(5).await.unwrap();
    world.runtime.crash().await.unwrap();
    assert_eq!(board.list().await, Ok(vec![0, 1, 2, 5]));
}

#[tokio::test]
async fn a_failed_command_on_10_000_elements_copies_none_of_the_others() {
    let world = world().await;
    let board = world.runtime.entity::<Board>("a");
    board.fill(10_000).await.unwrap();
    CLONES.set(0);
    board.add_and_refuse(20_000).await.unwrap_err();
    board.add(30_000).await.unwrap();
    assert!(CLONES.get() < 20, "{} clones", CLONES.get());
    assert_eq!(board.list().await.unwrap().len(), 10_001);
}

#[tokio::test]
async fn a_deletion_is_final_across_a_restart() {
    let world = world().await;
    let board = world.runtime.entity::<Board>("a");
    board.add(1).await.unwrap();
    assert_eq!(board.end().with_key("k").await, Ok(1));
    for _ in 0..2 {
        let answer = board.add(2).await;
        assert_eq!(answer, Err(CallError::Deleted));
        assert_eq!(answer.unwrap_err().persisted(), Persisted::No);
        assert_eq!(board.list().await, Err(CallError::Deleted));
        assert_eq!(board.end().with_key("k").await, Ok(1), "the same command");
        world.runtime.crash().await.unwrap();
    }
    assert_eq!(kinds(&world).await, "ed");
    assert_eq!(world.runtime.entity::<Board>("b").add(1).await, Ok(1));
}

#[tokio::test]
async fn a_purge_erases_the_deltas_and_the_id_stays_used_up() {
    let world = world().await;
    let board = world.runtime.entity::<Board>("a");
    board.add(1).await.unwrap();
    board.end().await.unwrap();
    world.runtime.purge::<Board>("a").await.unwrap();
    assert_eq!(kinds(&world).await.find('e'), None);
    assert_eq!(board.add(2).await, Err(CallError::Deleted));
    world.runtime.crash().await.unwrap();
    assert_eq!(board.list().await, Err(CallError::Deleted));
}

#[tokio::test]
async fn snapshot_and_deltas_come_to_the_state_in_memory() {
    let world = world().await;
    let board = world.runtime.entity::<Board>("a");
    for tag in 0..10 {
        board.add(tag).await.unwrap();
        board.remove(tag / 2).await.unwrap();
        let before = board.state().await.unwrap();
        world.runtime.crash().await.unwrap();
        assert_eq!(board.state().await.unwrap(), before);
    }
}

/// If a change after the restart had the dot of one before, the older state would swallow it.
#[tokio::test]
async fn no_dot_is_used_twice_across_restarts() {
    let world = world().await;
    let board = world.runtime.entity::<Board>("a");
    let mut seen = Board::default();
    for round in 0..6 {
        board.add(round).await.unwrap();
        seen.merge(&board.state().await.unwrap());
        board.remove(round).await.unwrap();
        seen.merge(&board.state().await.unwrap());
        assert!(seen.tags.is_empty());
        world.runtime.crash().await.unwrap();
        board.add(100 + round).await.unwrap();
        seen.merge(&board.state().await.unwrap());
        assert_eq!(seen.tags.len(), 1, "swallowed in round {round}");
        board.remove(100 + round).await.unwrap();
        seen.merge(&board.state().await.unwrap());
    }
    assert_eq!(seen, board.state().await.unwrap());
}

#[tokio::test]
async fn states_of_two_runtimes_merge() {
    let (one, two) = (world_of(1).await, world_of(2).await);
    for (world, tag) in [(&one, 1), (&two, 2)] {
        let board = world.runtime.entity::<Board>("a");
        board.add(tag).await.unwrap();
    }
    let mut here = one.runtime.entity::<Board>("a").state().await.unwrap();
    let there = two.runtime.entity::<Board>("a").state().await.unwrap();
    here.merge(&there);
    assert_eq!((here.tags.len(), here.changes.value()), (2, 2));
}

#[tokio::test]
async fn a_runtime_without_a_name_changes_no_crdt() {
    let world = World::build(Builder::only::<(Board,)>).await;
    let board = world.runtime.entity::<Board>("a");
    let answer = board.add(1).await;
    assert!(matches!(
        answer,
        Err(CallError::Invalid {
            what: "runtime",
            ..
        })
    ));
    assert_eq!(board.list().await, Ok(vec![]));
    assert_eq!(kinds(&world).await, "");
}

#[test]
fn a_scenario_runs_a_crdt_as_the_runtime_does() {
    Scenario::<Board>::new("a")
        .when_infallible(|board, ctx| board.add(ctx, 1))
        .then_reply(1)
        .when_infallible(|board, _| board.remove(2))
        .then_no_events()
        .when(|board, ctx| board.add_and_refuse(ctx, 2))
        .then_rejection("no".to_owned())
        .when_infallible(Board::end)
        .then_deleted();
}
