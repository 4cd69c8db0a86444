//! Whatever ends between two steps of an effect, it takes place once.

use statefn::store::Memory;
use statefn_store::testing::{Call, CommitFault, Faulty};

use super::relay::{Relay, balances, relay};
use crate::kit::{World, pending, settle};

#[statefn::test]
async fn p2_an_effect_of_a_command_that_never_commits_never_leaves() {
    let world = relay().await;
    let alice = world.runtime.entity::<Relay>("alice");
    let hold = world.store.hold(Call::Commit);
    let call = pending(alice.pass("bob", 3));
    settle().await;
    world.store.next_commits([CommitFault::Unavailable]);
    hold.release();
    call.now().await.unwrap_err();
    world.runtime.settle().await;
    assert_eq!(balances(&world, ["alice", "bob"]).await, [0, 0]);
    assert_eq!(world.runtime.admin().outbox(), 0);
}

#[statefn::test]
async fn p6_a_crash_between_the_two_commits_delivers_once() {
    for only in [false, true] {
        let world = relay().await;
        let alice = world.runtime.entity::<Relay>("alice");
        // The first commit is the sender's, the second the target's.
        world
            .store
            .next_commits([CommitFault::Pass, CommitFault::Unavailable]);
        let sent = if only {
            alice.only_pass("bob", 3).await
        } else {
            alice.pass("bob", 3).await
        };
        assert_eq!(sent, Ok(()));
        world.runtime.crash().await.unwrap();
        world.runtime.settle().await;
        world.pass(crate::kit::millis(2_000)).await;
        assert_eq!(world.runtime.settle().await, 0);
        let spent = if only { 0 } else { -3 };
        assert_eq!(balances(&world, ["alice", "bob"]).await, [spent, 3]);
    }
}

#[statefn::test]
async fn p6_an_unknown_commit_of_the_sender_delivers_once_or_never() {
    for (fault, received) in [
        (CommitFault::UnknownApplied, 3),
        (CommitFault::UnknownNotApplied, 0),
    ] {
        let world = relay().await;
        world.store.next_commits([fault]);
        let alice = world.runtime.entity::<Relay>("alice");
        alice.pass("bob", 3).await.unwrap_err();
        world.runtime.settle().await;
        assert_eq!(
            balances(&world, ["alice", "bob"]).await,
            [-received, received]
        );
    }
}

#[statefn::test]
async fn p6_an_unknown_commit_of_the_target_delivers_once() {
    for fault in [CommitFault::UnknownApplied, CommitFault::UnknownNotApplied] {
        let world = relay().await;
        world.store.next_commits([CommitFault::Pass, fault]);
        let alice = world.runtime.entity::<Relay>("alice");
        alice.pass("bob", 3).await.unwrap();
        world.runtime.settle().await;
        world.pass(crate::kit::millis(2_000)).await;
        assert_eq!(world.runtime.settle().await, 0);
        assert_eq!(balances(&world, ["alice", "bob"]).await, [-3, 3]);
    }
}

#[statefn::test]
async fn p1_an_effect_outlives_its_runtime() {
    let store = Faulty::new(Memory::new());
    let world = World::over(store.clone(), statefn::Builder::only::<(Relay,)>).await;
    world
        .store
        .next_commits([CommitFault::Pass, CommitFault::Unavailable]);
    world
        .runtime
        .entity::<Relay>("alice")
        .pass("bob", 3)
        .await
        .unwrap();
    settle().await;
    drop(world);
    let world = World::over(store, statefn::Builder::only::<(Relay,)>).await;
    world.runtime.settle().await;
    assert_eq!(balances(&world, ["alice", "bob"]).await, [-3, 3]);
}

#[statefn::test]
async fn p6_a_crash_while_the_target_commits_delivers_once() {
    let world = relay().await;
    let alice = world.runtime.entity::<Relay>("alice");
    alice.pass("bob", 1).await.unwrap();
    world.runtime.settle().await;
    let hold = world.store.hold_answer(Call::Commit);
    let call = pending(alice.pass("bob", 3));
    hold.release_one();
    settle().await;
    assert_eq!(call.now().await, Ok(()));
    // The target's commit is in the store, its answer on the way.
    world.runtime.crash().await.unwrap();
    hold.release();
    world.runtime.settle().await;
    assert_eq!(balances(&world, ["alice", "bob"]).await, [-4, 4]);
}
