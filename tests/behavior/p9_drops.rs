//! P9: values of the user may panic when they are dropped, wherever the runtime drops them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::{CallError, Persisted};
use statefn_store::testing::{Call, CommitFault};

use crate::kit::{World, at_once, millis, pending, persisted, settle};

/// Panics when it is dropped if its number is 13.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Mine(u8);

impl Drop for Mine {
    fn drop(&mut self) {
        assert!(
            self.0 != 13 || std::thread::panicking(),
            "thirteen explodes"
        );
    }
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
struct Laid {
    number: u8,
}

#[entity(
    event_sourced,
    name = "minefield",
    passivate_after = "10s",
    shape = "minefield"
)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Minefield {
    mine: Mine,
    laid: u32,
}

#[entity]
impl Minefield {
    #[command]
    fn lay(&self, ctx: &mut Context<Self>, number: u8) {
        ctx.emit(Laid { number });
    }

    /// Replies with a mine.
    #[command]
    fn take(&self, ctx: &mut Context<Self>, number: u8) -> Mine {
        ctx.emit(Laid { number: 0 });
        Mine(number)
    }

    #[command]
    fn give(&self, mine: Mine) -> u8 {
        let number = mine.0;
        std::mem::forget(mine);
        number
    }

    #[command]
    fn explode(&self, ctx: &mut Context<Self>) {
        ctx.emit(Laid { number: 0 });
        drop(Mine(13));
    }

    #[query]
    fn laid(&self) -> u32 {
        self.laid
    }

    #[event_handler]
    fn apply(&mut self, laid: &Laid) {
        // Not by assignment, which would drop the old mine.
        std::mem::forget(std::mem::replace(&mut self.mine, Mine(laid.number)));
        self.laid += 1;
    }
}

async fn world() -> (World, MinefieldRef, MinefieldRef) {
    let shape = |builder: statefn::Builder| {
        let limits = Limits {
            call_timeout: Duration::from_secs(5),
            ..Limits::default()
        };
        builder.only::<(Minefield,)>().shards(1).limits(limits)
    };
    let world = World::build(shape).await;
    let one = world.runtime.entity::<Minefield>("one");
    let other = world.runtime.entity::<Minefield>("other");
    assert_eq!((one.laid().await, other.laid().await), (Ok(0), Ok(0)));
    (world, one, other)
}

#[statefn::test]
async fn p9_a_reply_that_a_failed_commit_drops() {
    for fault in [CommitFault::Unavailable, CommitFault::UnknownNotApplied] {
        let (world, one, other) = world().await;
        let hold = world.store.hold(Call::Commit);
        world.store.next_commits([CommitFault::Pass, fault]);
        let first = pending(one.lay(0));
        let mine = pending(one.take(13));
        let neighbour = pending(other.lay(0));
        let behind = pending(one.laid());
        hold.release();
        assert_eq!(first.now().await, Ok(()));
        let mine = mine.now().await;
        assert!(mine.is_err(), "{mine:?}");
        assert!(neighbour.now().await.is_err());
        assert!(behind.now().await.is_err());
        assert_eq!((one.laid().await, other.laid().await), (Ok(1), Ok(0)));
        assert_eq!(other.lay(1).await, Ok(()));
        world.assert_quiet().await;
    }
}

#[statefn::test]
async fn p9_a_reply_whose_caller_has_gone() {
    let (world, one, other) = world().await;
    let hold = world.store.hold(Call::Commit);
    let mine = pending(one.take(13));
    let neighbour = pending(other.lay(0));
    drop(mine);
    hold.release();
    assert_eq!(neighbour.now().await, Ok(()));
    assert_eq!(one.laid().await, Ok(1), "it ran to its end");
    world.assert_quiet().await;
}

#[statefn::test]
async fn p9_a_reply_that_comes_too_late() {
    let (world, one, other) = world().await;
    let hold = world.store.hold(Call::Commit);
    let by_deadline = pending(one.take(13).with_deadline(millis(500)));
    let by_timeout = pending(one.take(13));
    world.pass(Duration::from_secs(8)).await;
    assert_eq!(persisted(&by_deadline.now().await), Persisted::Unknown);
    assert_eq!(persisted(&by_timeout.now().await), Persisted::Unknown);
    assert_eq!(at_once(other.laid()), Ok(0));
    hold.release();
    settle().await;
    assert_eq!(one.laid().await, Ok(2));
    assert_eq!(other.lay(1).await, Ok(()));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p9_arguments_of_a_command_that_never_runs() {
    let (world, one, other) = world().await;
    assert_eq!((one.lay(0).await, other.lay(0).await), (Ok(()), Ok(())));
    world.runtime.crash().await.unwrap();
    let hold = world.store.hold(Call::Load);
    world.store.fail(Call::Load, 1);
    let first = pending(one.give(Mine(13)));
    let second = pending(one.laid());
    let neighbour = pending(other.laid());
    let late = pending(other.give(Mine(13)).with_deadline(millis(100)));
    world.clock.advance(millis(100));
    hold.release();
    let unavailable = first.now().await;
    assert!(
        matches!(unavailable, Err(CallError::Unavailable { .. })),
        "{unavailable:?}"
    );
    assert!(second.now().await.is_err());
    assert_eq!(neighbour.now().await, Ok(1));
    assert_eq!(late.now().await, Err(CallError::Timeout));
    assert_eq!(one.give(Mine(13)).await, Ok(13));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p9_arguments_that_find_no_room() {
    let limits = Limits {
        waiting_max: 1,
        ..Limits::default()
    };
    let world =
        World::build(|builder| builder.only::<(Minefield,)>().shards(1).limits(limits)).await;
    let one = world.runtime.entity::<Minefield>("one");
    assert_eq!(one.laid().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let first = pending(one.lay(0));
    assert!(one.give(Mine(13)).await.is_err());
    let other = world.runtime.entity::<Minefield>("other");
    assert!(other.give(Mine(13)).await.is_err());
    hold.release();
    assert_eq!(first.now().await, Ok(()));
    assert_eq!(one.laid().await, Ok(1));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p9_a_state_that_leaves_memory() {
    let (world, one, other) = world().await;
    assert_eq!(one.lay(13).await, Ok(()));
    assert_eq!(other.lay(13).await, Ok(()));
    world.pass(Duration::from_secs(11)).await;
    assert_eq!(world.runtime.admin().residents(), 0, "the caretaker lives");
    assert_eq!(one.laid().await, Ok(1));
    world.runtime.crash().await.unwrap();
    assert_eq!(one.laid().await, Ok(1));
    world.store.next_commits([CommitFault::Unavailable]);
    assert!(one.lay(13).await.is_err());
    assert_eq!((one.laid().await, other.laid().await), (Ok(1), Ok(1)));
    world.pass(Duration::from_secs(11)).await;
    assert_eq!(world.runtime.admin().residents(), 0);
    world.assert_quiet().await;
}

#[statefn::test]
async fn p9_a_handler_that_drops_one() {
    let (world, one, _) = world().await;
    let answer = one.explode().await;
    assert!(
        matches!(answer, Err(CallError::Panicked { .. })),
        "{answer:?}"
    );
    assert_eq!(one.laid().await, Ok(0));
    world.assert_quiet().await;
}

/// A panic may carry a value that panics itself.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
struct Thrown;

#[entity(event_sourced, name = "thrower")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Thrower {}

#[entity]
impl Thrower {
    #[command]
    fn throw(&self, ctx: &mut Context<Self>) {
        ctx.emit(Thrown);
        std::panic::panic_any(Mine(13));
    }

    #[query]
    fn there(&self) -> bool {
        true
    }

    #[event_handler]
    fn apply(&mut self, _: &Thrown) {}
}

#[statefn::test]
async fn p9_a_panic_that_carries_one() {
    let world = World::build(statefn::Builder::only::<(Thrower,)>).await;
    let thrower = world.runtime.entity::<Thrower>("t");
    assert_eq!(thrower.there().await, Ok(true));
    let answer = thrower.throw().await;
    assert!(
        matches!(answer, Err(CallError::Panicked { .. })),
        "{answer:?}"
    );
    assert_eq!(thrower.there().await, Ok(true));
    world.assert_quiet().await;
}
