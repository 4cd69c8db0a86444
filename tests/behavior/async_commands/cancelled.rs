//! An async command ends on its way: nothing of it has happened, and the entity goes on.

use std::time::Duration;

use statefn::{CallError, Limits, Persisted};
use statefn_store::testing::Call;

use super::courier::{Door, courier, world, world_with};
use crate::kit::{World, millis, pending, persisted, settle};

#[statefn::test]
async fn p5_a_deadline_ends_an_async_command_and_the_next_one_runs_on_the_same_state() {
    let world = world().await;
    let (ann, door) = (courier(&world, "late"), Door::of("late"));
    ann.note(7).await.unwrap();
    let late = pending(ann.wait_and_note(1).with_deadline(millis(500)));
    let behind = pending(ann.note(8));
    // It goes on where it was, without asking the store.
    let loads = world.store.hold(Call::Load);
    world.pass(millis(499)).await;
    assert_eq!((door.arrived().await, door.left().await), (1, 0));
    world.pass(millis(1)).await;
    assert_eq!(late.now().await, Err(CallError::Timeout));
    assert_eq!(door.left().await, 1, "the handler is gone");
    assert_eq!(behind.now().await, Ok(()));
    assert_eq!(ann.notes().await, Ok(vec![7, 8]));
    loads.release();
    world.runtime.crash().await.unwrap();
    assert_eq!(ann.notes().await, Ok(vec![7, 8]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_a_deadline_that_nobody_watches_ends_an_async_command_all_the_same() {
    let world = world().await;
    let (ann, door) = (courier(&world, "unwatched"), Door::of("unwatched"));
    drop(pending(ann.wait_and_note(1).with_deadline(millis(500))));
    assert_eq!(door.arrived().await, 1);
    world.pass(millis(500)).await;
    assert_eq!(ann.notes().await, Ok(vec![]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p8_an_async_command_that_never_ends_ends_with_the_usual_timeout() {
    let limits = Limits {
        call_timeout: Duration::from_secs(5),
        ..Limits::default()
    };
    let world = world_with(limits).await;
    let ann = courier(&world, "endless");
    let endless = pending(ann.wait_and_note(1));
    let behind = pending(ann.notes().with_deadline(Duration::from_secs(60)));
    world.pass(millis(4_999)).await;
    let mut endless = endless;
    endless.assert_waits().await;
    world.pass(millis(1)).await;
    assert_eq!(endless.now().await, Err(CallError::Timeout));
    assert_eq!(behind.now().await, Ok(vec![]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_a_deadline_after_the_handler_has_returned_is_unknown_and_it_takes_effect() {
    let world = world().await;
    let (ann, door) = (courier(&world, "returned"), Door::of("returned"));
    door.open();
    let commits = world.store.hold(Call::Commit);
    let late = pending(ann.wait_and_note(1).with_deadline(millis(500)));
    assert_eq!(door.left().await, 1);
    world.pass(millis(500)).await;
    assert_eq!(persisted(&late.now().await), Persisted::Unknown);
    commits.release();
    assert_eq!(ann.notes().await, Ok(vec![1, -1]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_a_handler_that_returns_after_its_caller_was_told_of_the_deadline_has_no_effect() {
    let world = world().await;
    let (ann, door) = (courier(&world, "too late"), Door::of("too late"));
    let mut late = pending(ann.wait_and_note(1).with_deadline(millis(500)));
    assert_eq!(door.arrived().await, 1);
    world.clock.advance(millis(500));
    // The caller looks first; then the handler can go on, in the same instant.
    assert_eq!(late.answer(), Some(Err(CallError::Timeout)));
    door.open();
    assert_eq!(door.left().await, 1);
    assert_eq!(ann.notes().await, Ok(vec![]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_a_caller_that_goes_away_does_not_end_its_async_command() {
    let world = world().await;
    let (ann, door) = (courier(&world, "left"), Door::of("left"));
    drop(pending(ann.wait_and_note(1)));
    assert_eq!(door.arrived().await, 1);
    door.open();
    settle().await;
    assert_eq!(ann.notes().await, Ok(vec![1, -1]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p6_the_key_of_an_async_command_that_was_cut_off_is_free() {
    let world = world().await;
    let (ann, door) = (courier(&world, "free key"), Door::of("free key"));
    let call = || ann.wait_and_note(1).with_key("k");
    let late = pending(call().with_deadline(millis(500)));
    world.pass(millis(500)).await;
    assert_eq!(late.now().await, Err(CallError::Timeout));
    door.open();
    assert_eq!(call().await, Ok(vec![1, -1]));
    assert_eq!(call().await, Ok(vec![1, -1]));
    assert_eq!(door.arrived().await, 2);
}

#[statefn::test]
async fn p5_a_shutdown_lets_an_async_command_finish() {
    let world = world().await;
    let (ann, door) = (courier(&world, "finishes"), Door::of("finishes"));
    let waits = pending(ann.wait_and_note(1));
    assert_eq!(door.arrived().await, 1);
    let mut shutdown = pending(world.runtime.shutdown(Duration::from_secs(60)));
    shutdown.assert_waits().await;
    door.open();
    assert!(shutdown.now().await.unwrap());
    assert_eq!(waits.now().await, Ok(vec![1, -1]));
}

#[statefn::test]
async fn p5_a_shutdown_that_waits_no_longer_ends_an_async_command() {
    let world = world().await;
    let (ann, door) = (courier(&world, "ended"), Door::of("ended"));
    ann.note(7).await.unwrap();
    let waits = pending(ann.wait_and_note(1));
    let shutdown = pending(world.runtime.shutdown(Duration::from_secs(5)));
    world.pass(Duration::from_secs(5)).await;
    assert!(!shutdown.now().await.unwrap());
    assert_eq!(waits.now().await, Err(CallError::Stopped));
    assert_eq!((door.arrived().await, door.left().await), (1, 1));
    assert_eq!(stored(&world).await, 1, "only what was there before");
}

#[statefn::test]
async fn p5_a_crash_ends_an_async_command_and_the_entity_goes_on_from_the_store() {
    let world = world().await;
    let (ann, door) = (courier(&world, "crashes"), Door::of("crashes"));
    ann.note(7).await.unwrap();
    let waits = pending(ann.wait_and_note(1));
    let behind = pending(ann.note(8));
    assert_eq!(door.arrived().await, 1);
    world.runtime.crash().await.unwrap();
    for answer in [waits.now().await.map(drop), behind.now().await] {
        let is_told = matches!(answer, Err(CallError::Unavailable { .. }));
        assert!(is_told, "{answer:?}");
    }
    assert_eq!(door.left().await, 1);
    assert_eq!(ann.notes().await, Ok(vec![7]));
    assert_eq!(ann.note(9).await, Ok(()));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_a_store_that_fails_for_a_neighbor_ends_an_async_command_as_not_applied() {
    let world = world().await;
    let (ann, bob) = (courier(&world, "bystander"), courier(&world, "fails"));
    let door = Door::of("bystander");
    ann.note(7).await.unwrap();
    let waits = pending(ann.wait_and_note(1));
    let behind = pending(ann.notes());
    assert_eq!(door.arrived().await, 1);
    world.store.fail(Call::Commit, 1);
    assert!(bob.note(1).await.is_err());
    let answer = waits.now().await;
    assert_eq!(persisted(&answer), Persisted::No, "{answer:?}");
    assert_eq!(behind.now().await, Ok(vec![7]));
    assert_eq!(door.left().await, 1);
    world.assert_quiet().await;
}

#[statefn::test]
async fn p9_a_panic_of_an_async_command_stops_its_entity_only() {
    let world = world().await;
    let (ann, door) = (courier(&world, "panics"), Door::of("panics"));
    ann.note(7).await.unwrap();
    let panics = pending(ann.wait_and_panic());
    let behind = pending(ann.notes());
    door.open();
    let answer = panics.now().await;
    assert!(
        matches!(&answer, Err(CallError::Panicked { message, .. }) if &**message == "dropped the parcel"),
        "{answer:?}"
    );
    assert_eq!(behind.now().await, Ok(vec![7]));
    assert_eq!(ann.note(8).await, Ok(()));
    world.assert_quiet().await;
}

#[test]
fn p9_an_async_runtime_that_ends_under_an_async_command_answers_its_caller() {
    let tokio = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let first = tokio();
    let (runtime, call) = first.block_on(async {
        let builder = statefn::Runtime::builder().only::<(super::courier::Courier,)>();
        let runtime = builder.build().await.unwrap();
        let ann = runtime.entity::<super::courier::Courier>("abandoned");
        let call = pending(ann.wait_and_note(1));
        assert_eq!(Door::of("abandoned").arrived().await, 1);
        (runtime, call)
    });
    drop(first);
    tokio().block_on(async move {
        let answer = call.now().await;
        assert_eq!(persisted(&answer), Persisted::No, "{answer:?}");
        // Nobody is there to run another one.
        let ann = runtime.entity::<super::courier::Courier>("abandoned");
        let again = ann.wait_and_note(1).await;
        assert_eq!(persisted(&again), Persisted::No, "{again:?}");
        assert_eq!(ann.notes().await, Ok(vec![]));
    });
}

/// How many entries the store holds.
async fn stored(world: &World) -> usize {
    use statefn::store::{Offset, Store};
    world.store.read(Offset::new(1), 100).await.unwrap().len()
}
