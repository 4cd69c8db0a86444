//! P2: nothing that depends on a write leaves the entity before that write commits.

use statefn::{CallError, Persisted};
use statefn_store::testing::{Call, CommitFault};

use crate::account::Refusal;
use crate::kit::{World, at_once, pending, persisted};

#[statefn::test]
async fn p2_a_query_behind_a_write_waits_for_it() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let write = pending(alice.add(5));
    let mut query = pending(alice.total());
    query.assert_waits().await;
    hold.release();
    assert_eq!(query.now().await, Ok(5));
    assert_eq!(write.now().await, Ok(5));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p2_a_query_without_writes_before_it_answers_at_once() {
    let world = World::new().await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    assert_eq!(alice.add(5).await, Ok(5));
    assert_eq!(bob.total().await, Ok(0));
    let _hold = world.store.hold(Call::Commit);
    let _write = pending(bob.add(1));
    assert_eq!(
        at_once(alice.total()),
        Ok(5),
        "another entity's write is none of its business"
    );
    assert_eq!(
        at_once(alice.look()),
        Ok(5),
        "a command without events writes nothing"
    );
}

#[statefn::test]
async fn p2_a_query_waits_for_the_writes_before_it_only() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let first = pending(alice.add(1));
    let between = pending(alice.total());
    let mut second = pending(alice.add(2));
    hold.release_one();
    assert_eq!(first.now().await, Ok(1));
    assert_eq!(between.now().await, Ok(1));
    second.assert_waits().await;
    hold.release();
    assert_eq!(second.now().await, Ok(3));
}

#[statefn::test]
async fn p2_a_rejection_behind_a_write_waits_for_it() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(10).await, Ok(10));
    let hold = world.store.hold(Call::Commit);
    let write = pending(alice.add(-8));
    let mut rejected = pending(alice.add(-8));
    rejected.assert_waits().await;
    hold.release();
    let refusal = Refusal::Overdrawn { total: 2 };
    assert_eq!(rejected.now().await, Err(CallError::Rejected(refusal)));
    assert_eq!(write.now().await, Ok(2));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p2_answers_that_depend_on_a_failed_write_are_not_given() {
    for fault in [CommitFault::Unavailable, CommitFault::UnknownNotApplied] {
        let world = World::new().await;
        let alice = world.account("alice");
        assert_eq!(alice.add(10).await, Ok(10));
        let hold = world.store.hold(Call::Commit);
        world.store.next_commits([fault]);
        let write = pending(alice.add(-8));
        let rejected = pending(alice.add(-8));
        let query = pending(alice.total());
        let nothing = pending(alice.look());
        hold.release();
        assert!(write.now().await.is_err());
        assert_eq!(persisted(&rejected.now().await), Persisted::No);
        assert_eq!(persisted(&query.now().await), Persisted::No);
        assert_eq!(persisted(&nothing.now().await), Persisted::No);
        // What was rejected on a state that never came to be is possible now.
        assert_eq!(alice.add(-8).await, Ok(2));
        world.assert_quiet().await;
    }
}

#[statefn::test]
async fn p2_an_answer_after_a_crash_shows_nothing_uncommitted() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(10).await, Ok(10));
    let hold = world.store.hold(Call::Commit);
    let write = pending(alice.add(-8));
    let rejected = pending(alice.add(-8));
    world.runtime.crash().await.unwrap();
    hold.release();
    assert_eq!(persisted(&write.now().await), Persisted::Unknown);
    assert_eq!(persisted(&rejected.now().await), Persisted::No);
    assert_eq!(alice.total().await, Ok(10));
}

#[statefn::test]
async fn p2_a_reply_from_the_state_after_the_events_is_gated() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let mut one = pending(alice.add_all(vec![1, 2, 3]));
    let mut two = pending(alice.add_all(vec![]));
    one.assert_waits().await;
    two.assert_waits().await;
    hold.release();
    assert_eq!(one.now().await, Ok(6));
    assert_eq!(
        two.now().await,
        Ok(6),
        "no events of its own, but it has seen those before it"
    );
}

#[statefn::test]
async fn p2_a_duplicate_key_is_answered_when_the_first_has_committed() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let mut first = pending(alice.add(5).with_key("k"));
    let mut again = pending(alice.add(5).with_key("k"));
    let mut other = pending(alice.add(6).with_key("k"));
    first.assert_waits().await;
    again.assert_waits().await;
    other.assert_waits().await;
    hold.release();
    assert_eq!(first.now().await, Ok(5));
    assert_eq!(again.now().await, Ok(5));
    let other = other.now().await;
    assert!(
        matches!(other, Err(CallError::KeyReused { .. })),
        "{other:?}"
    );
    assert_eq!(alice.moves().await, Ok(vec![5]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p2_a_panic_on_uncommitted_state_waits_for_it() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let write = pending(alice.add(5));
    let mut query = pending(alice.panic_query());
    query.assert_waits().await;
    hold.release();
    assert_eq!(write.now().await, Ok(5));
    match query.now().await {
        Err(CallError::Panicked { message, .. }) => assert_eq!(&*message, "asked for 5"),
        other => panic!("{other:?}"),
    }
    assert_eq!(alice.total().await, Ok(5));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p2_a_panic_on_state_that_never_came_to_be_is_not_shown() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    world.store.next_commits([CommitFault::Unavailable]);
    let write = pending(alice.add(5));
    let query = pending(alice.panic_query());
    hold.release();
    assert_eq!(persisted(&write.now().await), Persisted::No);
    let query = query.now().await;
    assert!(
        matches!(query, Err(CallError::Unavailable { .. })),
        "{query:?}"
    );
    assert_eq!(alice.total().await, Ok(0));
}
