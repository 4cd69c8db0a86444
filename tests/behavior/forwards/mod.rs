//! P2, P5, P6 for forwards: stored first, then answered by the target.

mod chains;
mod crashes;
mod failures;
mod office;

use statefn::CallError;
use statefn::store::{Offset, Store};
use statefn_store::testing::Call;

use crate::kit::{pending, settle};
use office::{Clerk, books, desk, office};

#[statefn::test]
async fn the_target_answers_the_caller() {
    let world = office().await;
    let front = desk(&world, "front");
    assert_eq!(front.hand_on("ann", 3).await, Ok(3));
    assert_eq!(front.hand_on("ann", 4).await, Ok(7));
    assert_eq!(front.point("ann", 1).await, Ok(8));
    assert_eq!(front.maybe(None).await, Ok(-1));
    assert_eq!(front.maybe(Some("ann".to_owned())).await, Ok(9));
    assert_eq!(front.think_and_hand_on("ann", 1).await, Ok(10));
    assert_eq!(books(&world, "front", "ann").await, (5, 10));
    let own = "come back with something".to_owned();
    assert_eq!(front.hand_on("ann", 0).await, Err(CallError::Rejected(own)));
    world.assert_quiet().await;
}

#[statefn::test]
async fn a_thread_outside_the_runtime_is_answered_by_the_target() {
    let world = office().await;
    let front = desk(&world, "front");
    let thread = tokio::task::spawn_blocking(move || {
        std::thread::spawn(move || front.hand_on("ann", 3).wait()).join()
    });
    assert_eq!(thread.await.unwrap().unwrap(), Ok(3));
}

#[statefn::test]
async fn p2_the_forwarder_commits_before_the_target_runs() {
    let world = office().await;
    let front = desk(&world, "front");
    for thinks in [false, true] {
        let before = world.store.read(Offset::new(1), 100).await.unwrap().len();
        let commits = world.store.hold_answer(Call::Commit);
        let front = front.clone();
        let mut waits = pending(async move {
            if thinks {
                front.think_and_hand_on("ann", 3).await
            } else {
                front.hand_on("ann", 3).await
            }
        });
        waits.assert_waits().await;
        let entries = world.store.read(Offset::new(1), 100).await.unwrap();
        assert_eq!(entries.len(), before + 1, "the desk's own, and no more");
        commits.release();
        waits.now().await.unwrap();
    }
    assert_eq!(books(&world, "front", "ann").await, (2, 6));
}

#[statefn::test]
async fn p2_a_forward_without_writes_waits_for_what_it_was_decided_on() {
    let world = office().await;
    let front = desk(&world, "front");
    assert_eq!(front.hand_on("ann", 1).await, Ok(1));
    let commits = world.store.hold(Call::Commit);
    let seen = pending(front.hand_on("ben", 1));
    let mut pointed = pending(front.point("ann", 5));
    pointed.assert_waits().await;
    assert_eq!(commits.arrived(), 1, "nothing of the clerk");
    commits.release();
    assert_eq!(pointed.now().await, Ok(6));
    assert_eq!(seen.now().await, Ok(1));
}

#[statefn::test]
async fn a_target_sees_who_forwarded_and_what_was_sent_along() {
    let world = office().await;
    let call = desk(&world, "front").trace("ann");
    let call = call.with_metadata("user", "carl");
    let trace = call.with_metadata("desk", "callers").await.unwrap();
    assert_eq!(trace, ["desk/front", "true", "true", "carl", "own"]);
}

#[statefn::test]
async fn a_caller_that_goes_away_does_not_stop_a_forward() {
    let world = office().await;
    let front = desk(&world, "front");
    let commits = world.store.hold(Call::Commit);
    drop(pending(front.hand_on("ann", 3)));
    commits.release();
    settle().await;
    assert_eq!(books(&world, "front", "ann").await, (1, 3));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p6_a_forward_of_an_effect_becomes_an_effect() {
    let world = office().await;
    desk(&world, "gate")
        .announce("front", "ann", 3)
        .await
        .unwrap();
    assert_eq!(world.runtime.settle().await, 0);
    assert_eq!(books(&world, "front", "ann").await, (1, 3));
    // The third commit is the clerk's: what is lost there comes again.
    world.store.next_commits([
        statefn_store::testing::CommitFault::Pass,
        statefn_store::testing::CommitFault::Pass,
        statefn_store::testing::CommitFault::Unavailable,
    ]);
    desk(&world, "gate")
        .announce("front", "ann", 4)
        .await
        .unwrap();
    world.runtime.settle().await;
    world.runtime.crash().await.unwrap();
    world.pass(std::time::Duration::from_secs(2)).await;
    assert_eq!(world.runtime.settle().await, 0);
    assert_eq!(books(&world, "front", "ann").await, (2, 7));
}

#[statefn::test]
async fn p5_a_shutdown_lets_forwards_end() {
    let world = office().await;
    let front = desk(&world, "front");
    let ann = world.runtime.entity::<Clerk>("ann");
    let loads = world.store.hold(Call::Load);
    let waits = pending(front.hand_on("ann", 3));
    loads.release_one();
    settle().await;
    let mut shutdown = Box::pin(world.runtime.shutdown(std::time::Duration::from_secs(10)));
    assert!(crate::kit::poll(&mut shutdown).is_none());
    settle().await;
    assert!(
        crate::kit::poll(&mut shutdown).is_none(),
        "the clerk is on his way"
    );
    loads.release();
    assert!(shutdown.await.unwrap());
    assert_eq!(waits.now().await, Ok(3));
    assert_eq!(ann.total().await, Err(CallError::Stopped));
}
