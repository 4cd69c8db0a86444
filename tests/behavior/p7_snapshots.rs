//! P7: snapshots come at their cadence, in the commit of their last event, and are the state then.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use statefn::SequenceNumber;
use statefn::store::{EventRef, PersistenceId, RecordRef, Replay, SnapshotRef, StateRef, Store};
use statefn_store::testing::Call;

use crate::kit::{World, pending};
use crate::p7_replay_is_live::ledger::{Action, Kind, always, never};

/// Where the newest snapshot of an entity stands, by what a load is offered.
async fn snapshot(store: &dyn Store, id: PersistenceId) -> Option<u64> {
    struct Look(Arc<Mutex<Option<u64>>>);

    impl Replay for Look {
        fn snapshot(&mut self, snapshot: SnapshotRef<'_>) -> bool {
            *self.0.lock().unwrap() = Some(snapshot.sequence.get());
            true
        }

        fn state(&mut self, _: StateRef<'_>) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }

        fn event(&mut self, _: EventRef<'_>) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }

        fn skipped(&mut self, _: SequenceNumber) {}

        fn record(&mut self, _: RecordRef<'_>) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }

    let seen: Arc<Mutex<Option<u64>>> = Arc::default();
    let look = Look(Arc::clone(&seen));
    let _loaded = store.load(&id, Box::new(look)).await.unwrap();
    *seen.lock().unwrap()
}

async fn of_account(world: &World) -> Option<u64> {
    snapshot(&world.store, PersistenceId::new("account", "alice")).await
}

#[statefn::test]
async fn p7_a_snapshot_is_due_when_the_events_of_a_command_pass_a_multiple() {
    // Accounts have one for every third event.
    let world = World::new().await;
    let alice = world.account("alice");
    let mut last = 0;
    for (events, expected) in [
        (1, None),
        (1, None),
        (1, Some(3)),
        (2, Some(3)),
        // 6 is among 6 and 7: one snapshot, after the last event.
        (2, Some(7)),
        (1, Some(7)),
        // 9 and 12 are among 9 to 14: still one.
        (6, Some(14)),
        (0, Some(14)),
        (1, Some(15)),
    ] {
        last += events;
        alice.add_all(vec![1; events]).await.unwrap();
        assert_eq!(of_account(&world).await, expected, "after event {last}");
    }
    let verification = world.runtime.admin().verify().await.unwrap();
    assert_eq!((verification.faults, verification.compared), (vec![], 1));
    let loads = world.store.count(Call::Load);
    world.runtime.crash().await.unwrap();
    assert_eq!(alice.total().await, Ok(15));
    assert_eq!(world.store.count(Call::Load), loads + 1);
}

#[statefn::test]
async fn p7_a_rejected_or_panicking_command_leaves_no_snapshot() {
    let world = World::new().await;
    let alice = world.account("alice");
    alice.add_all(vec![1, 1]).await.unwrap();
    assert!(alice.add_and_refuse(1).with_key("k").await.is_err());
    assert!(alice.panic("no").await.is_err());
    assert!(alice.curse().await.is_err());
    assert_eq!(of_account(&world).await, None);
    assert_eq!(alice.add(1).await, Ok(3));
    assert_eq!(of_account(&world).await, Some(3));
}

#[statefn::test]
async fn p7_snapshots_on_speculated_state_stand_where_they_say() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let calls: Vec<_> = (0..8).map(|_| pending(alice.add(1))).collect();
    assert_eq!(of_account(&world).await, None);
    hold.release();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(of_account(&world).await, Some(6));
    world.runtime.crash().await.unwrap();
    assert_eq!(alice.moves().await, Ok(vec![1; 8]));
}

async fn snapshot_after_20_puts<K: Kind>() -> Option<u64> {
    let world = World::build(statefn::Builder::only::<(K,)>).await;
    for serial in 0..20 {
        let put = Action::Put { slot: 0, amount: 1 };
        K::act(&world.runtime, "l", serial, &put, None)
            .await
            .unwrap();
    }
    snapshot(&world.store, PersistenceId::new(K::TYPE, "l")).await
}

#[statefn::test]
async fn p7_zero_means_never_and_one_means_always() {
    assert_eq!(snapshot_after_20_puts::<never::Ledger>().await, None);
    assert_eq!(snapshot_after_20_puts::<always::Ledger>().await, Some(20));
}
