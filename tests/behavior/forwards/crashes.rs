//! P6: a key follows the forward; whatever ends between the two commits, the target runs at most once.

use statefn::store::Memory;
use statefn::{CallError, Persisted};
use statefn_store::testing::{Call, CommitFault, Faulty};

use super::office::{Clerk, Desk, books, desk, office};
use crate::kit::{World, pending, persisted, settle};

#[statefn::test]
async fn p6_a_repetition_answers_what_the_target_answered() {
    let world = office().await;
    let front = desk(&world, "front");
    for round in 0..2 {
        for _ in 0..2 {
            assert_eq!(front.hand_on("ann", 3).with_key("k").await, Ok(3));
            assert_eq!(front.point("ben", 4).with_key("p").await, Ok(4));
            assert_eq!(front.think_and_hand_on("cid", 5).with_key("t").await, Ok(5));
            let refused = front.hand_on("ann", 13).with_key("no").await.unwrap_err();
            assert_eq!(refused.rejection().unwrap(), "thirteen is refused");
        }
        let other = front.hand_on("ann", 4).with_key("k").await;
        assert!(
            matches!(other, Err(CallError::KeyReused { .. })),
            "{other:?}"
        );
        assert_eq!(books(&world, "front", "ann").await, (3, 3));
        assert_eq!(books(&world, "front", "ben").await, (3, 4));
        assert_eq!(books(&world, "front", "cid").await, (3, 5));
        if round == 0 {
            world.runtime.crash().await.unwrap();
        }
    }
}

#[statefn::test]
async fn p6_a_duplicate_of_a_forward_under_way_shares_its_answer() {
    let world = office().await;
    let front = desk(&world, "front");
    let commits = world.store.hold(Call::Commit);
    let first = pending(front.hand_on("ann", 3).with_key("k"));
    let second = pending(front.hand_on("ann", 3).with_key("k"));
    settle().await;
    commits.release_one();
    settle().await;
    let third = pending(front.hand_on("ann", 3).with_key("k"));
    commits.release();
    for call in [first, second, third] {
        assert_eq!(call.now().await, Ok(3));
    }
    assert_eq!(books(&world, "front", "ann").await, (1, 3));
}

#[statefn::test]
async fn p6_a_retry_follows_a_forward_whose_target_never_committed() {
    for fault in [
        CommitFault::Unavailable,
        CommitFault::UnknownNotApplied,
        CommitFault::UnknownApplied,
    ] {
        let world = office().await;
        let front = desk(&world, "front");
        // The first commit is the desk's, the second the clerk's.
        world.store.next_commits([CommitFault::Pass, fault]);
        let first = front.hand_on("ann", 3).with_key("k").await;
        assert_eq!(persisted(&first), Persisted::Yes, "{first:?}");
        let error = first.unwrap_err();
        assert!(error.is_retryable(), "{error:?}");
        let CallError::Forwarded(forwarded) = &error else {
            panic!("{error:?}");
        };
        assert_eq!(forwarded.target.id(), "ann");
        let expected = match fault {
            CommitFault::Unavailable => Persisted::No,
            _ => Persisted::Unknown,
        };
        assert_eq!(forwarded.error.persisted(), expected);
        world.runtime.crash().await.unwrap();
        assert_eq!(front.hand_on("ann", 3).with_key("k").await, Ok(3));
        assert_eq!(front.hand_on("ann", 3).with_key("k").await, Ok(3));
        assert_eq!(books(&world, "front", "ann").await, (1, 3));
    }
}

#[statefn::test]
async fn p6_a_retry_follows_a_forward_that_was_committed_and_never_made() {
    let store = Faulty::new(Memory::new());
    let world = World::over(store.clone(), statefn::Builder::only::<(Desk, Clerk)>).await;
    let front = desk(&world, "front");
    world.store.next_commits([CommitFault::UnknownApplied]);
    let first = front.hand_on("ann", 3).with_key("k").await;
    assert_eq!(persisted(&first), Persisted::Unknown);
    drop((front, world));
    let next = World::over(store, statefn::Builder::only::<(Desk, Clerk)>).await;
    assert_eq!(books(&next, "front", "ann").await, (1, 0));
    let front = desk(&next, "front");
    assert_eq!(front.hand_on("ann", 3).with_key("k").await, Ok(3));
    assert_eq!(books(&next, "front", "ann").await, (1, 3));
}

#[statefn::test]
async fn p4_a_forward_whose_command_does_not_commit_is_never_made() {
    for fault in [CommitFault::Unavailable, CommitFault::UnknownNotApplied] {
        let world = office().await;
        let front = desk(&world, "front");
        world.store.next_commits([fault]);
        let first = front.hand_on("ann", 3).with_key("k").await;
        assert!(
            !matches!(first, Ok(_) | Err(CallError::Forwarded(_))),
            "{first:?}"
        );
        assert_eq!(books(&world, "front", "ann").await, (0, 0));
        assert_eq!(front.hand_on("ann", 3).with_key("k").await, Ok(3));
        assert_eq!(books(&world, "front", "ann").await, (1, 3));
    }
}

#[statefn::test]
async fn p6_a_key_of_the_handlers_own_names_the_targets_run() {
    let world = office().await;
    let front = desk(&world, "front");
    assert_eq!(front.hand_on_as("ann", "once", 500).await, Ok(1));
    assert_eq!(front.hand_on_as("ann", "once", 500).await, Ok(1));
    assert_eq!(books(&world, "front", "ann").await, (2, 1));
}

#[statefn::test]
async fn p5_a_crash_while_the_target_runs_is_said_and_hangs_nobody() {
    let world = office().await;
    let front = desk(&world, "front");
    let loads = world.store.hold(Call::Load);
    let waits = pending(front.hand_on("ann", 3).with_key("k"));
    loads.release_one();
    settle().await;
    world.runtime.crash().await.unwrap();
    let answer = waits.now().await;
    assert_eq!(persisted(&answer), Persisted::Yes, "{answer:?}");
    loads.release();
    assert_eq!(front.hand_on("ann", 3).with_key("k").await, Ok(3));
    assert_eq!(books(&world, "front", "ann").await, (1, 3));
    world.assert_quiet().await;
}
