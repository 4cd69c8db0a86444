//! P1: a reply means that the command's writes are on stable storage.

use statefn::{CallError, Persisted};
use statefn_store::testing::Call;

use crate::kit::{World, at_once, pending, persisted};

#[statefn::test]
async fn p1_a_reply_comes_after_the_commit() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));

    let hold = world.store.hold(Call::Commit);
    let mut call = pending(alice.add(5));
    call.assert_waits().await;
    assert!(world.journal("alice").await.is_empty());

    hold.release();
    assert_eq!(call.now().await, Ok(5));
    assert_eq!(world.journal("alice").await.len(), 1);
    world.assert_quiet().await;
}

#[statefn::test]
async fn p1_a_reply_waits_for_the_answer_of_the_commit_too() {
    let world = World::new().await;
    let alice = world.account("alice");
    let hold = world.store.hold_answer(Call::Commit);
    let mut call = pending(alice.add(5));
    call.assert_waits().await;
    assert_eq!(
        world.journal("alice").await.len(),
        1,
        "applied, not confirmed"
    );
    hold.release();
    assert_eq!(call.now().await, Ok(5));
}

#[statefn::test]
async fn p1_a_crash_drops_what_is_not_committed() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(1).await, Ok(1));

    let hold = world.store.hold(Call::Commit);
    let with_the_store = pending(alice.add(10));
    let filling = pending(alice.add(100));
    world.runtime.crash().await.unwrap();
    hold.release();

    assert_eq!(persisted(&with_the_store.now().await), Persisted::Unknown);
    let filling = filling.now().await;
    assert!(
        matches!(filling, Err(CallError::Unavailable { .. })),
        "{filling:?}"
    );
    assert_eq!(alice.moves().await, Ok(vec![1]));
    assert_eq!(alice.add(2).await, Ok(3));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p1_a_crash_keeps_what_was_acknowledged() {
    let world = World::new().await;
    for round in 1..=10 {
        let alice = world.account("alice");
        assert_eq!(alice.add(1).await, Ok(round));
        world.runtime.crash().await.unwrap();
        assert_eq!(alice.total().await, Ok(round));
        assert_eq!(at_once(alice.total()), Ok(round));
    }
}

#[statefn::test]
async fn p1_a_second_runtime_reads_what_the_first_acknowledged() {
    let first = World::new().await;
    assert_eq!(first.account("alice").add(3).await, Ok(3));
    assert!(first.runtime.shutdown(crate::kit::millis(1)).await.unwrap());
    let second = World::over(first.store.clone(), |builder| builder).await;
    assert_eq!(second.account("alice").add(4).await, Ok(7));
}
