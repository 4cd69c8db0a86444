//! P4: everything a command did commits in one transaction, or none of it did.

use statefn::store::{Entry, EntryBody, Store};
use statefn::{CallError, Persisted};
use statefn_store::testing::{Call, CommitFault};

use crate::account::Refusal;
use crate::kit::{World, pending, persisted};

fn records(entries: &[Entry]) -> usize {
    let records = entries.iter().filter_map(|entry| entry.body.record());
    records.count()
}

fn events(entries: &[Entry]) -> usize {
    let is_event = |entry: &&Entry| matches!(entry.body, EntryBody::Event { .. });
    entries.iter().filter(is_event).count()
}

#[statefn::test]
async fn p4_events_record_and_snapshot_come_together() {
    let world = World::new().await;
    let alice = world.account("alice");
    let hold = world.store.hold(Call::Commit);
    let mut call = pending(alice.add_all(vec![1, 2, 3, 4]).with_key("k"));
    call.assert_waits().await;
    assert_eq!(world.store.members(), 1, "one member for all of it");
    assert!(world.journal("alice").await.is_empty());
    assert_eq!(world.store.verify().await.unwrap().snapshots, 0);
    hold.release();
    assert_eq!(call.now().await, Ok(10));
    let journal = world.journal("alice").await;
    assert_eq!((events(&journal), records(&journal)), (4, 1));
    assert_eq!(world.store.verify().await.unwrap().snapshots, 1);
}

#[statefn::test]
async fn p4_a_failed_commit_leaves_nothing() {
    for fault in [CommitFault::Unavailable, CommitFault::UnknownNotApplied] {
        let world = World::new().await;
        let alice = world.account("alice");
        world.store.next_commits([fault]);
        let answer = alice.add_all(vec![1, 2, 3]).with_key("k").await;
        assert!(answer.is_err());
        assert!(world.journal("alice").await.is_empty());
        assert_eq!(world.store.verify().await.unwrap().snapshots, 0);
        assert_eq!(alice.total().await, Ok(0));
        // The key is free: the other arguments are not refused.
        assert_eq!(alice.add_all(vec![7]).with_key("k").await, Ok(7));
    }
}

#[statefn::test]
async fn p4_a_commit_that_got_lost_on_the_way_back_left_everything() {
    let world = World::new().await;
    let alice = world.account("alice");
    world.store.next_commits([CommitFault::UnknownApplied]);
    let answer = alice.add_all(vec![1, 2, 3]).with_key("k").await;
    assert_eq!(persisted(&answer), Persisted::Unknown);
    let journal = world.journal("alice").await;
    assert_eq!((events(&journal), records(&journal)), (3, 1));
    assert_eq!(alice.total().await, Ok(6));
    assert_eq!(alice.add_all(vec![1, 2, 3]).with_key("k").await, Ok(6));
    assert_eq!(alice.total().await, Ok(6));
}

#[statefn::test]
async fn p4_events_of_a_rejected_command_never_existed() {
    let world = World::new().await;
    let alice = world.account("alice");
    let rejected = alice.add_and_refuse(5).with_key("k").await;
    let refusal = Refusal::Overdrawn { total: 0 };
    assert_eq!(rejected, Err(CallError::Rejected(refusal)));
    assert_eq!(alice.total().await, Ok(0));
    let journal = world.journal("alice").await;
    assert_eq!((events(&journal), records(&journal)), (0, 1));
    world.runtime.crash().await.unwrap();
    assert_eq!(alice.total().await, Ok(0));
}

#[statefn::test]
async fn p4_too_many_events_leave_none() {
    let limits = statefn::Limits {
        events_max: 3,
        ..statefn::Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    assert_eq!(alice.add_all(vec![1, 1, 1]).await, Ok(3));
    let refused = alice.add_all(vec![1, 1, 1, 1]).with_key("k").await;
    assert!(matches!(refused, Err(CallError::TooLarge { limit: 3, .. })));
    assert_eq!(alice.total().await, Ok(3));
    assert_eq!(world.journal("alice").await.len(), 3);
    assert_eq!(alice.add_all(vec![1]).with_key("k").await, Ok(4));
}
