//! P5: every error tells the caller whether the command was applied, was not, or nobody knows.

use std::sync::Arc;

use statefn::store::{Batch, Member, NewEvent, PersistenceId, SequenceNumber};
use statefn::{CallError, Infallible, Overload, Persisted, Quarantine, Timestamp};
use statefn_store::testing::{Call, CommitFault};

use crate::account::Account;
use crate::kit::{World, at_once, millis, pending, persisted};

#[test]
fn p5_every_error_says_what_became_of_the_command() {
    type E = CallError<Infallible>;
    let id = PersistenceId::new("account", "alice");
    let reason: Arc<str> = "".into();
    let quarantine = Arc::new(Quarantine {
        id: id.clone(),
        sequence: SequenceNumber::ZERO,
        reason: String::new(),
    });
    let (key, what, message) = (reason.clone(), "", reason.clone());
    let (yes, no, unknown) = (Persisted::Yes, Persisted::No, Persisted::Unknown);
    let table: Vec<(E, Persisted, bool)> = vec![
        (E::Overloaded(Overload::Mailbox), no, true),
        (E::Timeout, no, true),
        (
            E::OutcomeUnknown {
                reason: key.clone(),
            },
            unknown,
            true,
        ),
        (
            E::Unavailable {
                reason: key.clone(),
            },
            no,
            true,
        ),
        (E::Quarantined(quarantine), no, false),
        (E::Panicked { id, message }, no, false),
        (E::Reentrancy, no, false),
        (
            E::TooLarge {
                what,
                bytes: 2,
                limit: 1,
            },
            no,
            false,
        ),
        (
            E::Invalid {
                what,
                reason: key.clone(),
            },
            no,
            false,
        ),
        (E::KeyReused { key: key.clone() }, no, false),
        (E::AlreadyApplied { key: key.clone() }, yes, false),
        (E::Encoding { what, reason }, no, false),
        (E::NotHosted { entity_type: "x" }, no, false),
        (E::Fenced, no, false),
        (E::Stopped, no, false),
        (E::WaitInsideRuntime, no, false),
    ];
    for (error, persisted, retryable) in table {
        assert_eq!(error.persisted(), persisted, "{error:?}");
        assert_eq!(error.is_retryable(), retryable, "{error:?}");
    }
    let rejected: CallError<i32> = CallError::Rejected(1);
    assert_eq!(rejected.persisted(), no);
    assert!(!rejected.is_retryable());
}

#[statefn::test]
async fn p5_rolled_back_before_commit_is_not_applied() {
    let world = World::new().await;
    let alice = world.account("alice");
    world.store.next_commits([CommitFault::Unavailable]);
    let answer = alice.add(5).await;
    assert!(
        matches!(answer, Err(CallError::Unavailable { .. })),
        "{answer:?}"
    );
    assert_eq!(alice.total().await, Ok(0));
    assert_eq!(alice.add(6).await, Ok(6));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_an_error_at_commit_is_unknown_for_its_batch_only() {
    for applied in [true, false] {
        let world = World::build(|builder| builder.only::<(Account,)>().shards(1)).await;
        let (alice, bob) = (world.account("alice"), world.account("bob"));
        assert_eq!((alice.total().await, bob.total().await), (Ok(0), Ok(0)));
        let hold = world.store.hold(Call::Commit);
        world.store.next_commits([if applied {
            CommitFault::UnknownApplied
        } else {
            CommitFault::UnknownNotApplied
        }]);
        let issued = pending(alice.add(1));
        let query = pending(alice.total());
        let rejected = pending(alice.add(-100));
        let filling = pending(bob.add(1));
        let behind = pending(alice.add(2));
        hold.release();
        assert_eq!(persisted(&issued.now().await), Persisted::Unknown);
        assert_eq!(persisted(&query.now().await), Persisted::No);
        assert_eq!(persisted(&rejected.now().await), Persisted::No);
        for unissued in [filling.now().await, behind.now().await] {
            let is_unavailable = matches!(unissued, Err(CallError::Unavailable { .. }));
            assert!(is_unavailable, "{unissued:?}");
        }
        assert_eq!(alice.total().await, Ok(i64::from(applied)));
        assert_eq!(bob.total().await, Ok(0));
        world.assert_quiet().await;
    }
}

#[statefn::test]
async fn p5_a_duplicate_shares_what_is_said_of_the_first() {
    for fault in [CommitFault::UnknownApplied, CommitFault::UnknownNotApplied] {
        let world = World::new().await;
        let alice = world.account("alice");
        assert_eq!(alice.total().await, Ok(0));
        let hold = world.store.hold(Call::Commit);
        world.store.next_commits([fault]);
        let first = pending(alice.add(5).with_key("k"));
        let again = pending(alice.add(5).with_key("k"));
        hold.release();
        assert_eq!(persisted(&first.now().await), Persisted::Unknown);
        assert_eq!(persisted(&again.now().await), Persisted::Unknown);
    }
}

#[statefn::test]
async fn p5_a_duplicate_does_not_depend_on_later_writes() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    world
        .store
        .next_commits([CommitFault::Pass, CommitFault::Unavailable]);
    let first = pending(alice.add(5).with_key("k"));
    let later = pending(alice.add(1));
    let again = pending(alice.add(5).with_key("k"));
    hold.release();
    assert_eq!(first.now().await, Ok(5));
    assert_eq!(persisted(&later.now().await), Persisted::No);
    assert_eq!(
        again.now().await,
        Ok(5),
        "the command under this key is applied"
    );
}

#[statefn::test]
async fn p5_a_committed_key_is_answered_whatever_happens_to_later_writes() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(5).with_key("k").await, Ok(5));
    let hold = world.store.hold(Call::Commit);
    let later = pending(alice.add(1));
    let again = at_once(alice.add(5).with_key("k"));
    assert_eq!(again, Ok(5), "its own write is on stable storage");
    hold.release();
    assert_eq!(later.now().await, Ok(6));
}

#[statefn::test]
async fn p5_a_load_that_fails_is_not_applied_and_may_be_retried() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(5).await, Ok(5));
    world.runtime.crash().await.unwrap();
    world.store.fail(Call::Load, 1);
    let answer = alice.add(5).await;
    assert_eq!(persisted(&answer), Persisted::No);
    assert!(answer.is_err_and(|error| error.is_retryable()));
    assert_eq!(alice.add(5).await, Ok(10));
    assert!(world.runtime.admin().quarantined().is_empty());
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_a_lookup_that_fails_is_not_applied_and_may_be_retried() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(5).with_key("k").await, Ok(5));
    world.store.fail(Call::FindRecord, 1);
    let answer = alice.add(5).with_key("k").await;
    assert!(
        matches!(answer, Err(CallError::Unavailable { .. })),
        "{answer:?}"
    );
    assert_eq!(alice.add(5).with_key("k").await, Ok(5));
    assert_eq!(alice.total().await, Ok(5));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_a_fenced_runtime_stops_as_a_whole() {
    let world = World::new().await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    assert_eq!(alice.add(1).await, Ok(1));
    let hold = world.store.hold(Call::Commit);
    world.store.next_commits([CommitFault::Fence]);
    let issued = pending(alice.add(1));
    let filling = pending(alice.add(1));
    let query = pending(alice.total());
    hold.release();
    assert_eq!(issued.now().await, Err(CallError::Fenced));
    assert_eq!(filling.now().await, Err(CallError::Fenced));
    assert_eq!(query.now().await, Err(CallError::Fenced));
    assert_eq!(alice.total().await, Err(CallError::Fenced));
    assert_eq!(bob.add(1).await, Err(CallError::Fenced));
    assert_eq!(world.journal("alice").await.len(), 1);
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_a_second_owner_fences_the_first() {
    let first = World::new().await;
    assert_eq!(first.account("alice").add(1).await, Ok(1));
    let second = World::over(first.store.clone(), |builder| builder).await;
    assert_eq!(first.account("alice").add(1).await, Err(CallError::Fenced));
    assert_eq!(second.account("alice").add(1).await, Ok(2));
}

/// Somebody else writes `amounts` to an account, past the runtime.
async fn write_past_the_runtime(world: &World, id: &str, expected: u64, amounts: &[i64]) {
    let id = PersistenceId::new("account", id);
    let expected = SequenceNumber::new(expected);
    let mut member = Member::new(id, expected, Timestamp::from_millis(0));
    for amount in amounts {
        let mut payload = Vec::new();
        statefn::codec::Codec::Bincode
            .encode(amount, &mut payload)
            .unwrap();
        member.events.push(NewEvent {
            name: "Added".into(),
            version: 1,
            codec: statefn::codec::Codec::Bincode.id(),
            payload,
        });
    }
    let batch = Batch {
        epoch: World::epoch(),
        members: vec![member],
    };
    let outcomes = world.store.inner().commit(batch).await.unwrap();
    assert!(matches!(
        outcomes[..],
        [statefn::store::Outcome::Committed { .. }]
    ));
}

#[statefn::test]
async fn p5_a_stale_member_fails_its_own_entity_only() {
    let world = World::build(|builder| builder.only::<(Account,)>().shards(1)).await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    let (carol, dave) = (world.account("carol"), world.account("dave"));
    for account in [&alice, &bob, &carol, &dave] {
        assert_eq!(account.add(10).await, Ok(10));
    }
    let hold = world.store.hold(Call::Commit);
    let first = pending(dave.add(1));
    let bob_before = pending(bob.add(1));
    let stale = pending(alice.add(1));
    let query = pending(alice.total());
    let carol_after = pending(carol.add(1));
    hold.release_one();
    assert_eq!(first.now().await, Ok(11));
    // The batch of bob, alice and carol is with the store now, and this one fills.
    let speculated = pending(alice.add(2));
    let rejected = pending(alice.add(-100));
    let carol_next = pending(carol.add(2));
    write_past_the_runtime(&world, "alice", 1, &[100]).await;
    hold.release();

    assert_eq!(persisted(&stale.now().await), Persisted::No);
    assert_eq!(persisted(&query.now().await), Persisted::No);
    assert_eq!(persisted(&speculated.now().await), Persisted::No);
    assert_eq!(persisted(&rejected.now().await), Persisted::No);
    assert_eq!(bob_before.now().await, Ok(11));
    assert_eq!(carol_after.now().await, Ok(11));
    assert_eq!(carol_next.now().await, Ok(13));
    assert_eq!(alice.moves().await, Ok(vec![10, 100]));
    assert_eq!(alice.add(1).await, Ok(111));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_what_was_speculated_on_a_stale_member_does_not_slip_in() {
    let world = World::build(|builder| builder.only::<(Account,)>().shards(1)).await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    assert_eq!(alice.add(10).await, Ok(10));
    assert_eq!(bob.add(10).await, Ok(10));
    let hold = world.store.hold(Call::Commit);
    let first = pending(bob.add(1));
    // Both in one batch: the second one fits the sequence number that the foreign write left.
    let stale = pending(alice.add(1));
    let speculated = pending(alice.add(2));
    hold.release_one();
    assert_eq!(first.now().await, Ok(11));
    write_past_the_runtime(&world, "alice", 1, &[100]).await;
    hold.release();
    assert_eq!(persisted(&stale.now().await), Persisted::No);
    assert_eq!(persisted(&speculated.now().await), Persisted::No);
    assert_eq!(alice.moves().await, Ok(vec![10, 100]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_commands_wait_out_a_store_that_comes_back() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(1).await, Ok(1));
    world.store.every_commit(CommitFault::Unavailable);
    for _ in 0..20 {
        assert_eq!(persisted(&alice.add(1).await), Persisted::No);
        assert_eq!(alice.total().await, Ok(1), "reads go on");
    }
    world.store.heal();
    assert_eq!(alice.add(1).await, Ok(2));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_a_crash_while_calls_come_in_does_not_fence_the_runtime() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(1).await, Ok(1));
    let claim = world.store.hold_answer(Call::Claim);
    let mut crash = Box::pin(world.runtime.crash());
    assert!(crate::kit::poll(&mut crash).is_none());
    claim.reached(1).await;
    // The store has a new epoch, the runtime does not know it yet.
    let meanwhile = alice.add(1).await;
    assert_eq!(persisted(&meanwhile), Persisted::No);
    assert!(meanwhile.is_err_and(|error| error.is_retryable()));
    claim.release();
    crash.await.unwrap();
    assert_eq!(alice.add(1).await, Ok(2));
    assert!(world.runtime.shutdown(millis(1)).await.unwrap());
}
