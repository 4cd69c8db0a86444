//! The fault-injecting wrapper: each planted fault is what it says, and nothing else happens.
#![cfg(feature = "testing")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

use std::any::Any;
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use statefn_store::testing::{Call, CommitFault, FaultRates, Faulty, block_on};
use statefn_store::{
    Batch, CommitError, EventRef, LoadError, Member, Memory, NewEvent, NewSnapshot, Offset,
    Outcome, OwnerEpoch, PersistenceId, RecordRef, Refusal, Replay, SequenceNumber, SnapshotRef,
    StateRef, Store, Timestamp,
};

#[derive(Default)]
struct Seen {
    snapshot: Option<u64>,
    events: Vec<u64>,
}

impl Replay for Seen {
    fn snapshot(&mut self, snapshot: SnapshotRef<'_>) -> bool {
        self.snapshot = Some(snapshot.sequence.get());
        true
    }

    fn state(&mut self, _: StateRef<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn event(&mut self, event: EventRef<'_>) -> ControlFlow<()> {
        self.events.push(event.sequence.get());
        ControlFlow::Continue(())
    }

    fn skipped(&mut self, _: SequenceNumber) {}

    fn record(&mut self, _: RecordRef<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

fn alice() -> PersistenceId {
    PersistenceId::new("cart", "alice")
}

/// A batch of one member with one event.
fn one_event(epoch: OwnerEpoch, id: &PersistenceId, expected: u64) -> Batch {
    let expected = SequenceNumber::new(expected);
    let mut member = Member::new(id.clone(), expected, Timestamp::from_millis(1));
    member.events.push(NewEvent {
        name: Cow::Borrowed("added"),
        version: 1,
        codec: 0,
        payload: vec![1],
    });
    Batch {
        epoch,
        members: vec![member],
    }
}

async fn seen(store: &Faulty, id: &PersistenceId) -> Result<Seen, LoadError> {
    let loaded = store.load(id, Box::<Seen>::default()).await?;
    let replay: Box<dyn Any> = loaded.replay;
    Ok(*replay.downcast::<Seen>().unwrap())
}

async fn events(store: &Faulty, id: &PersistenceId) -> Vec<u64> {
    seen(store, id).await.unwrap().events
}

#[test]
fn each_commit_fault_applies_what_it_says() {
    let store = Faulty::new(Memory::new());
    block_on(async {
        let epoch = store.claim().await.unwrap();
        store.next_commits([
            CommitFault::Unavailable,
            CommitFault::UnknownNotApplied,
            CommitFault::UnknownApplied,
            CommitFault::Pass,
            CommitFault::Fence,
        ]);
        let refused = store.commit(one_event(epoch, &alice(), 0)).await;
        assert!(matches!(refused, Err(CommitError::Unavailable(_))));
        let unknown = store.commit(one_event(epoch, &alice(), 0)).await;
        assert!(matches!(unknown, Err(CommitError::Unknown(_))));
        assert_eq!(events(&store, &alice()).await, [0; 0]);
        let unknown = store.commit(one_event(epoch, &alice(), 0)).await;
        assert!(matches!(unknown, Err(CommitError::Unknown(_))));
        assert_eq!(events(&store, &alice()).await, [1]);
        let outcomes = store.commit(one_event(epoch, &alice(), 1)).await.unwrap();
        let position = Offset::new(2);
        assert_eq!(outcomes, [Outcome::Committed { position }]);
        for _ in 0..2 {
            let fenced = store.commit(one_event(epoch, &alice(), 2)).await;
            assert!(matches!(fenced, Err(CommitError::Fenced { held, .. }) if held == epoch));
        }
        assert_eq!(events(&store, &alice()).await, [1, 2]);
    });
    assert_eq!((store.count(Call::Commit), store.members()), (6, 6));
}

#[test]
fn a_lasting_fault_ends_with_heal() {
    let store = Faulty::new(Memory::new());
    block_on(async {
        let epoch = store.claim().await.unwrap();
        store.every_commit(CommitFault::Unavailable);
        for _ in 0..3 {
            assert!(store.commit(one_event(epoch, &alice(), 0)).await.is_err());
        }
        store.heal();
        assert!(store.commit(one_event(epoch, &alice(), 0)).await.is_ok());
    });
}

#[test]
fn a_held_commit_is_not_visible_and_a_held_answer_is() {
    let store = Faulty::new(Memory::new());
    block_on(async {
        let epoch = store.claim().await.unwrap();
        let hold = store.hold(Call::Commit);
        let hold_answer = store.hold_answer(Call::Commit);
        let mut commit = Box::pin(store.commit(one_event(epoch, &alice(), 0)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(commit.as_mut().poll(&mut context).is_pending());
        hold.reached(1).await;
        assert_eq!((hold.arrived(), hold_answer.arrived()), (1, 0));
        assert_eq!(events(&store, &alice()).await, [0; 0]);
        hold.release();
        assert!(commit.as_mut().poll(&mut context).is_pending());
        hold_answer.reached(1).await;
        assert_eq!(events(&store, &alice()).await, [1]);
        hold_answer.release_one();
        let Poll::Ready(outcomes) = commit.as_mut().poll(&mut context) else {
            panic!("the answer was released");
        };
        assert!(outcomes.is_ok());
    });
}

#[test]
fn a_held_commit_takes_the_fault_planned_before_its_release() {
    let store = Faulty::new(Memory::new());
    block_on(async {
        let epoch = store.claim().await.unwrap();
        let hold = store.hold(Call::Commit);
        let mut commit = Box::pin(store.commit(one_event(epoch, &alice(), 0)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(commit.as_mut().poll(&mut context).is_pending());
        store.next_commits([CommitFault::UnknownApplied]);
        hold.release();
        assert!(matches!(commit.await, Err(CommitError::Unknown(_))));
        assert_eq!(events(&store, &alice()).await, [1]);
    });
}

#[test]
fn calls_fail_as_often_as_planned() {
    let store = Faulty::new(Memory::new());
    block_on(async {
        store.fail(Call::Claim, 1);
        assert!(store.claim().await.is_err());
        assert!(store.claim().await.is_ok());
        store.fail(Call::Load, 2);
        for _ in 0..2 {
            let failed = seen(&store, &alice()).await;
            assert!(matches!(failed, Err(LoadError::Unavailable(_))));
        }
        assert!(seen(&store, &alice()).await.is_ok());
        store.fail(Call::Read, u64::MAX);
        for _ in 0..3 {
            assert!(store.read(Offset::ZERO, 1).await.is_err());
        }
        store.heal();
        assert!(store.read(Offset::ZERO, 1).await.is_ok());
    });
    assert_eq!(store.count(Call::Load), 3);
}

#[test]
fn damage_ends_loads_and_pages_before_it() {
    let store = Faulty::new(Memory::new());
    let bob = PersistenceId::new("cart", "bob");
    block_on(async {
        let epoch = store.claim().await.unwrap();
        for expected in 0..3 {
            for id in [alice(), bob.clone()] {
                let _ = store.commit(one_event(epoch, &id, expected)).await.unwrap();
            }
        }
        store.damage(&alice(), SequenceNumber::new(2));
        let Err(LoadError::Corrupt {
            offset, sequence, ..
        }) = seen(&store, &alice()).await
        else {
            panic!("a load met the damage");
        };
        assert_eq!((offset.get(), sequence.get()), (3, 2));
        assert_eq!(events(&store, &bob).await, [1, 2, 3]);
        assert_eq!(store.read(Offset::ZERO, 9).await.unwrap().len(), 2);
        let failed = store.read(Offset::new(3), 9).await;
        assert!(matches!(failed, Err(LoadError::Corrupt { offset, .. }) if offset.get() == 3));
        assert_eq!(store.read(Offset::new(4), 9).await.unwrap().len(), 3);
        store.heal();
        assert_eq!(events(&store, &alice()).await, [1, 2, 3]);
    });
}

#[test]
fn a_snapshot_passes_over_damage_until_it_is_lost() {
    let store = Faulty::new(Memory::new());
    block_on(async {
        let epoch = store.claim().await.unwrap();
        let mut batch = one_event(epoch, &alice(), 0);
        batch.members[0].snapshot = Some(NewSnapshot {
            shape: 7,
            codec: 0,
            payload: vec![1],
        });
        let _ = store.commit(batch).await.unwrap();
        let _ = store.commit(one_event(epoch, &alice(), 1)).await.unwrap();
        store.damage(&alice(), SequenceNumber::new(1));
        let with = seen(&store, &alice()).await.unwrap();
        assert_eq!((with.snapshot, with.events), (Some(1), vec![2]));
        store.lose_snapshots();
        assert!(seen(&store, &alice()).await.is_err());
    });
}

/// A batch of one event for each of these, in this order.
fn batch(epoch: OwnerEpoch, members: &[(&PersistenceId, u64)]) -> Batch {
    let members = members
        .iter()
        .flat_map(|(id, expected)| one_event(epoch, id, *expected).members)
        .collect();
    Batch { epoch, members }
}

#[test]
fn a_refused_member_takes_the_later_ones_of_its_entity_along() {
    let store = Faulty::new(Memory::new());
    let (alice, bob) = (alice(), PersistenceId::new("cart", "bob"));
    block_on(async {
        let epoch = store.claim().await.unwrap();
        store.next_commits([CommitFault::Refuse { member: 4 + 1 }]);
        let members = [(&alice, 0), (&alice, 1), (&bob, 0), (&alice, 2)];
        let outcomes = store.commit(batch(epoch, &members)).await.unwrap();
        let stale = Refusal::Stale {
            expected: SequenceNumber::new(1),
            actual: SequenceNumber::new(2),
        };
        let committed = |offset| Outcome::Committed {
            position: Offset::new(offset),
        };
        let expected = [
            committed(1),
            Outcome::Refused(stale),
            committed(2),
            Outcome::Refused(Refusal::Overtaken),
        ];
        assert_eq!(outcomes, expected);
        assert_eq!(events(&store, &alice).await, [1]);
        assert_eq!(events(&store, &bob).await, [1]);
    });
}

#[test]
fn a_repeated_commit_is_answered_once_and_stored_once() {
    let store = Faulty::new(Memory::new());
    block_on(async {
        let epoch = store.claim().await.unwrap();
        store.every_commit(CommitFault::Repeat);
        for expected in 0..2 {
            let batch = one_event(epoch, &alice(), expected);
            let outcomes = store.commit(batch).await.unwrap();
            let position = Offset::new(expected + 1);
            assert_eq!(outcomes, [Outcome::Committed { position }]);
        }
        assert_eq!(events(&store, &alice()).await, [1, 2]);
    });
}

/// What 200 commits met, one letter each.
fn fates(seed: u64, rates: FaultRates) -> String {
    let store = Faulty::new(Memory::new());
    let log = Arc::new(Mutex::new(String::new()));
    let waits = Arc::clone(&log);
    store.sleep_with(move |_| {
        waits.lock().unwrap().push('.');
        async {}
    });
    block_on(async {
        let epoch = store.claim().await.unwrap();
        store.by_seed(seed, rates);
        for _ in 0..200 {
            let at = store.inner().read(Offset::ZERO, 1000).await.unwrap().len() as u64;
            let fate = match store.commit(one_event(epoch, &alice(), at)).await {
                Ok(outcomes) if matches!(*outcomes, [Outcome::Committed { .. }]) => 'c',
                Ok(_) => 'r',
                Err(CommitError::Unavailable(_)) => 'u',
                Err(_) => '?',
            };
            log.lock().unwrap().push(fate);
        }
    });
    let log = log.lock().unwrap();
    log.clone()
}

#[test]
fn a_seed_decides_every_call_and_repeats() {
    let rates = FaultRates {
        commit_fails: 100,
        commit_unknown_applied: 100,
        commit_unknown_not_applied: 100,
        commit_refused: 100,
        commit_repeated: 100,
        delayed: 100,
        delay_max: Duration::from_millis(1),
        ..FaultRates::NONE
    };
    let fates_of_one = fates(1, rates);
    assert_eq!(fates_of_one, fates(1, rates));
    assert_ne!(fates_of_one, fates(2, rates));
    for fate in ['c', 'r', 'u', '?', '.'] {
        assert!(fates_of_one.contains(fate), "no {fate} in {fates_of_one}");
    }
    assert_eq!(fates(1, FaultRates::NONE), "c".repeat(200));
}

#[test]
fn loads_searches_and_claims_fail_by_seed() {
    let store = Faulty::new(Memory::new());
    block_on(async {
        store.claim().await.unwrap();
        store.by_seed(
            1,
            FaultRates {
                load_fails: 500,
                find_record_fails: 500,
                claim_fails: 500,
                ..FaultRates::NONE
            },
        );
        let (mut loads, mut searches, mut claims) = (0, 0, 0);
        for _ in 0..100 {
            loads += u32::from(seen(&store, &alice()).await.is_err());
            let found = store.find_record(&alice(), "k", Offset::new(1)).await;
            searches += u32::from(found.is_err());
            claims += u32::from(store.claim().await.is_err());
        }
        for failed in [loads, searches, claims] {
            assert!((20..80).contains(&failed), "{failed} of 100 failed");
        }
        assert_eq!(
            store.happened().calls_failed,
            u64::from(loads + searches + claims)
        );
        store.heal();
        assert!(seen(&store, &alice()).await.is_ok());
    });
}
