//! P5: who waits no longer is told whether the command can still take effect.

use std::time::Duration;

use statefn::{CallError, Limits, Persisted};
use statefn_store::testing::Call;

use crate::kit::{World, millis, pending, persisted, poll, settle};

#[statefn::test]
async fn p5_a_deadline_that_passes_before_the_handler_starts_is_a_timeout_and_it_never_runs() {
    let limits = Limits {
        speculation_max: 1,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    assert_eq!(alice.total().await, Ok(0));
    let commits = world.store.hold(Call::Commit);
    let loads = world.store.hold(Call::Load);
    let first = pending(alice.add(1));
    let in_mailbox = pending(alice.add(2).with_deadline(millis(100)));
    let in_recovery = pending(bob.add(2).with_deadline(millis(100)));
    world.pass(millis(99)).await;
    let mut in_mailbox = in_mailbox;
    in_mailbox.assert_waits().await;
    world.pass(millis(1)).await;
    assert_eq!(in_mailbox.now().await, Err(CallError::Timeout));
    assert_eq!(in_recovery.now().await, Err(CallError::Timeout));
    commits.release();
    loads.release();
    assert_eq!(first.now().await, Ok(1));
    assert_eq!(alice.moves().await, Ok(vec![1]));
    assert_eq!(bob.moves().await, Ok(vec![]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_a_deadline_that_nobody_watches_still_keeps_the_command_from_running() {
    let world = World::new().await;
    let alice = world.account("alice");
    let loads = world.store.hold(Call::Load);
    // Accepted and not polled again: the caller is busy elsewhere.
    let late = pending(alice.add(1).with_deadline(millis(100)));
    world.clock.advance(millis(100));
    loads.release();
    settle().await;
    assert_eq!(alice.moves().await, Ok(vec![]));
    assert_eq!(late.now().await, Err(CallError::Timeout));
}

#[statefn::test]
async fn p5_a_deadline_that_passes_later_is_unknown_and_the_command_runs_to_its_end() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let commits = world.store.hold(Call::Commit);
    let write = pending(alice.add(1).with_deadline(millis(100)));
    let query = pending(alice.total().with_deadline(millis(100)));
    let rejected = pending(alice.add(-5).with_deadline(millis(100)));
    world.pass(millis(100)).await;
    assert_eq!(persisted(&write.now().await), Persisted::Unknown);
    // These have no effect, whatever becomes of the write before them.
    assert_eq!(query.now().await, Err(CallError::Timeout));
    assert_eq!(rejected.now().await, Err(CallError::Timeout));
    commits.release();
    settle().await;
    assert_eq!(alice.total().await, Ok(1));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_a_deadline_of_zero_has_passed() {
    let world = World::new().await;
    let alice = world.account("alice");
    for _ in 0..2 {
        let answer = alice.add(1).with_deadline(Duration::ZERO).await;
        assert_eq!(answer, Err(CallError::Timeout));
        assert_eq!(alice.total().await, Ok(0));
    }
}

#[statefn::test]
async fn p5_a_longer_deadline_than_the_usual_one_is_kept() {
    let limits = Limits {
        speculation_max: 1,
        call_timeout: Duration::from_secs(5),
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    assert_eq!(alice.total().await, Ok(0));
    let commits = world.store.hold(Call::Commit);
    let loads = world.store.hold(Call::Load);
    let minute = Duration::from_secs(60);
    let mut write = pending(alice.add(1).with_deadline(minute));
    let mut in_mailbox = pending(alice.add(2).with_deadline(minute));
    let mut in_recovery = pending(bob.add(1).with_deadline(minute));
    world.pass(millis(59_999)).await;
    write.assert_waits().await;
    in_mailbox.assert_waits().await;
    in_recovery.assert_waits().await;
    commits.release();
    assert_eq!(write.now().await, Ok(1));
    assert_eq!(in_mailbox.now().await, Ok(3));
    world.pass(millis(1)).await;
    assert_eq!(in_recovery.now().await, Err(CallError::Timeout));
    loads.release();
    assert_eq!(bob.total().await, Ok(0));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_a_lookup_of_a_key_that_never_answers_is_not_waited_for_for_ever() {
    let limits = Limits {
        call_timeout: Duration::from_secs(5),
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    assert_eq!(alice.add(1).with_key("k").await, Ok(1));
    let lookups = world.store.hold(Call::FindRecord);
    let mut again = pending(alice.add(1).with_key("k"));
    let by_deadline = pending(alice.add(1).with_deadline(millis(100)));
    let mut behind = pending(alice.total());
    world.pass(Duration::from_secs(5)).await;
    assert_eq!(by_deadline.now().await, Err(CallError::Timeout));
    again.assert_waits().await;
    behind.assert_waits().await;
    world.pass(millis(1_500)).await;
    assert_eq!(again.now().await, Err(CallError::Timeout));
    assert_eq!(behind.now().await, Err(CallError::Timeout));
    lookups.release();
    settle().await;
    assert_eq!(alice.add(1).with_key("k").await, Ok(1));
    assert_eq!(alice.moves().await, Ok(vec![1]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_a_lookup_of_a_key_ends_with_the_state_it_was_for() {
    let world =
        World::build(|builder| builder.only::<(crate::account::Account,)>().shards(1)).await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    assert_eq!(alice.add(1).with_key("k").await, Ok(1));
    assert_eq!(bob.total().await, Ok(0));
    let lookups = world.store.hold(Call::FindRecord);
    let again = pending(alice.add(1).with_key("k"));
    let behind = pending(alice.total());
    world.store.fail(Call::Commit, 1);
    assert!(bob.add(1).await.is_err());
    // The look-up is still with the store, but nobody waits for it.
    let again = again.now().await;
    assert!(
        matches!(again, Err(CallError::Unavailable { .. })),
        "{again:?}"
    );
    assert_eq!(behind.now().await, Ok(1));
    lookups.release();
    settle().await;
    assert_eq!(alice.add(1).with_key("k").await, Ok(1));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_a_call_that_is_dropped_before_its_first_poll_never_happens() {
    let world = World::new().await;
    let alice = world.account("alice");
    drop(alice.add(1));
    drop(alice.add(2).into_future());
    settle().await;
    assert_eq!(alice.moves().await, Ok(vec![]));
}

#[statefn::test]
async fn p5_a_call_that_is_dropped_later_runs_to_its_end() {
    let limits = Limits {
        speculation_max: 1,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    assert_eq!(alice.total().await, Ok(0));
    let commits = world.store.hold(Call::Commit);
    let loads = world.store.hold(Call::Load);
    drop(pending(alice.add(1)));
    drop(pending(alice.add(2)));
    drop(pending(bob.add(3)));
    commits.release();
    loads.release();
    settle().await;
    assert_eq!(alice.moves().await, Ok(vec![1, 2]));
    assert_eq!(bob.moves().await, Ok(vec![3]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_an_answer_that_has_come_beats_a_deadline_that_has_passed() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let commits = world.store.hold(Call::Commit);
    let mut call = Box::pin(alice.add(1).with_deadline(millis(100)).into_future());
    assert_eq!(poll(&mut call), None);
    commits.release();
    settle().await;
    world.clock.advance(millis(200));
    assert_eq!(poll(&mut call), Some(Ok(1)));
}
