//! P5: what a caller hears when the target says no, fails, or is not there.

use std::time::Duration;

use statefn::store::{PersistenceId, SequenceNumber};
use statefn::{CallError, Limits, Overload, Persisted};
use statefn_store::testing::Call;

use super::office::{Clerk, Desk, books, desk, office};
use crate::kit::{World, millis, pending, persisted, settle};

/// What the target came to, as the caller hears it.
#[track_caller]
fn of_target(answer: Result<i64, CallError<String>>) -> CallError<String> {
    assert_eq!(persisted(&answer), Persisted::Yes, "{answer:?}");
    match answer {
        Err(CallError::Forwarded(forwarded)) => forwarded.error,
        other => panic!("{other:?}"),
    }
}

#[statefn::test]
async fn p5_a_rejection_by_the_target_says_that_the_forwarder_stands() {
    let world = office().await;
    let front = desk(&world, "front");
    let no = CallError::Rejected("thirteen is refused".to_owned());
    let answer = front.hand_on("ann", 13).await;
    let text = "applied and forwarded to clerk/ann: rejected: thirteen is refused";
    assert_eq!(answer.as_ref().unwrap_err().to_string(), text);
    assert_eq!(of_target(answer), no);
    assert_eq!(books(&world, "front", "ann").await, (1, 0));
    // Nothing was written on the way: it is the target's answer and no more.
    assert_eq!(front.point("ann", 13).await, Err(no.clone()));
    assert_eq!(front.point("ann", 13).with_key("k").await, Err(no.clone()));
    assert_eq!(front.point("ann", 13).with_key("k").await, Err(no));
}

#[statefn::test]
async fn p9_a_target_that_panics_does_not_undo_the_forwarder() {
    let world = office().await;
    let error = of_target(desk(&world, "front").hand_on("ann", 666).await);
    assert!(matches!(error, CallError::Panicked { .. }), "{error:?}");
    assert_eq!(error.persisted(), Persisted::No);
    assert_eq!(books(&world, "front", "ann").await, (1, 0));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p10_a_quarantined_target_is_named() {
    let world = office().await;
    let front = desk(&world, "front");
    front.hand_on("ann", 1).await.unwrap();
    let ann = PersistenceId::new("clerk", "ann");
    world.store.damage(&ann, SequenceNumber::new(1));
    world.runtime.crash().await.unwrap();
    let error = of_target(front.hand_on("ann", 1).await);
    let CallError::Quarantined(quarantine) = error else {
        panic!("{error:?}");
    };
    assert_eq!(quarantine.id, ann);
}

#[statefn::test]
async fn a_target_of_no_hosted_type_is_refused_before_anything_happens() {
    let world = World::build(statefn::Builder::only::<(Desk,)>).await;
    let front = desk(&world, "front");
    let answer = front.hand_on("ann", 1).await;
    let entity_type = "clerk";
    assert_eq!(answer, Err(CallError::NotHosted { entity_type }));
    assert_eq!(front.callers().await, Ok(0));
}

#[statefn::test]
async fn p5_a_route_to_a_type_that_is_gone_is_an_error_at_the_retry() {
    let world = office().await;
    desk(&world, "front")
        .hand_on("ann", 1)
        .with_key("k")
        .await
        .unwrap();
    let store = world.store.clone();
    drop(world);
    let next = World::over(store, statefn::Builder::only::<(Desk,)>).await;
    let answer = desk(&next, "front").hand_on("ann", 1).with_key("k").await;
    let error = of_target(answer);
    assert!(matches!(error, CallError::Invalid { .. }), "{error:?}");
}

#[statefn::test]
async fn p8_an_overloaded_target_is_retryable_under_the_key() {
    let limits = Limits {
        mailbox_max: 1,
        ..Limits::default()
    };
    let world = World::build(|b| b.only::<(Desk, Clerk)>().limits(limits)).await;
    let front = desk(&world, "front");
    front.hand_on("ben", 1).await.unwrap();
    let loads = world.store.hold(Call::Load);
    let ann = world.runtime.entity::<Clerk>("ann");
    let waiting = pending(ann.take(1));
    let error = front.hand_on("ann", 2).with_key("k").await;
    assert!(error.as_ref().unwrap_err().is_retryable());
    let mailbox = CallError::Overloaded(Overload::Mailbox);
    assert_eq!(of_target(error), mailbox);
    loads.release();
    assert_eq!(waiting.now().await, Ok(1));
    assert_eq!(front.hand_on("ann", 2).with_key("k").await, Ok(3));
    assert_eq!(books(&world, "front", "ann").await, (2, 3));
}

#[statefn::test]
async fn p5_a_deadline_goes_along_with_a_forward() {
    let world = office().await;
    let front = desk(&world, "front");
    front.hand_on("ben", 1).await.unwrap();
    let loads = world.store.hold(Call::Load);
    let call = front.hand_on("ann", 2).with_key("k");
    let mut late = pending(call.with_deadline(millis(1_000)));
    let own = pending(front.hand_on_as("ann", "x", 500));
    let mut none = pending(front.hand_on("ann", 4));
    world.pass(millis(500)).await;
    assert_eq!(of_target(own.now().await), CallError::Timeout);
    late.assert_waits().await;
    world.pass(millis(500)).await;
    assert_eq!(of_target(late.now().await), CallError::Timeout);
    none.assert_waits().await;
    world
        .pass(Limits::default().call_timeout + Duration::from_secs(2))
        .await;
    assert_eq!(of_target(none.now().await), CallError::Timeout);
    loads.release();
    settle().await;
    // None of the three has reached the clerk.
    assert_eq!(books(&world, "front", "ann").await, (4, 0));
    assert_eq!(front.hand_on("ann", 2).with_key("k").await, Ok(2));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_a_deadline_while_the_target_commits_leaves_its_outcome_open() {
    let world = office().await;
    let front = desk(&world, "front");
    front.hand_on("ann", 1).await.unwrap();
    let commits = world.store.hold(Call::Commit);
    let late = pending(front.hand_on("ann", 2).with_deadline(millis(1_000)));
    commits.release_one();
    settle().await;
    world.pass(millis(1_000)).await;
    let error = of_target(late.now().await);
    assert_eq!(error.persisted(), Persisted::Unknown, "{error:?}");
    commits.release();
    settle().await;
    assert_eq!(books(&world, "front", "ann").await, (2, 3));
}

#[statefn::test]
async fn p5_a_deadline_before_the_forwarder_commits_keeps_the_target_out() {
    let world = office().await;
    let front = desk(&world, "front");
    front.hand_on("ann", 1).await.unwrap();
    let commits = world.store.hold(Call::Commit);
    let late = pending(front.hand_on("ann", 2).with_deadline(millis(1_000)));
    world.pass(millis(1_000)).await;
    let answer = late.now().await;
    assert_eq!(persisted(&answer), Persisted::Unknown, "{answer:?}");
    commits.release();
    settle().await;
    assert_eq!(books(&world, "front", "ann").await, (2, 1));
}
