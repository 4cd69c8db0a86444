//! What a purge leaves of an entity, and of whom it was.

use std::time::Duration;

use statefn::store::Store;
use statefn::{Builder, CallError, PurgeError};
use statefn_store::testing::Call;

use super::note::Note;
use super::{kinds, world};
use crate::account::Account;
use crate::kit::{World, pending};

#[statefn::test]
async fn a_purged_entity_leaves_markers_and_begins_anew() {
    let world = World::build(Builder::only::<(Account,)>).await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    bob.add(7).await.unwrap();
    for _ in 0..4 {
        alice.add(5).await.unwrap();
    }
    assert_eq!(world.runtime.purge::<Account>("alice").await.unwrap(), 4);
    assert_eq!(alice.total().await, Ok(0));
    assert_eq!(kinds(&world).await, "e____d");
    alice.add(1).await.unwrap();
    world.runtime.crash().await.unwrap();
    assert_eq!(
        alice.total().await,
        Ok(1),
        "no snapshot of before comes back"
    );
    assert_eq!(bob.total().await, Ok(7));
    let verified = world.runtime.admin().verify().await.unwrap();
    assert!(verified.is_clean(), "{verified:?}");
}

#[statefn::test]
async fn a_command_sent_again_after_a_purge_still_does_not_run_twice() {
    let world = world().await;
    let note = world.runtime.entity::<Note>("a");
    note.add("1").with_key("k").await.unwrap();
    assert_eq!(world.runtime.purge::<Note>("a").await.unwrap(), 1);
    for _ in 0..2 {
        let again = note.add("1").with_key("k").await;
        assert!(
            matches!(again, Err(CallError::AlreadyApplied { .. })),
            "{again:?}"
        );
        let other = note.add("2").with_key("k").await;
        assert!(
            matches!(other, Err(CallError::KeyReused { .. })),
            "{other:?}"
        );
        world.runtime.crash().await.unwrap();
    }
    assert_eq!(kinds(&world).await, "Rd");
    // Once the key has expired, a purge takes it too.
    world.clock.advance(Duration::from_secs(25 * 60 * 60));
    assert_eq!(world.runtime.purge::<Note>("a").await.unwrap(), 1);
    assert_eq!(kinds(&world).await, "_d");
    assert_eq!(note.add("1").with_key("k").await, Ok(1));
}

#[statefn::test]
async fn a_purge_takes_its_turn() {
    let world = world().await;
    let note = world.runtime.entity::<Note>("a");
    note.add("1").await.unwrap();
    let hold = world.store.hold(Call::Commit);
    let before = pending(note.add("2"));
    let purged = Box::pin(world.runtime.purge::<Note>("a"));
    let mut purged = pending(purged);
    let after = pending(note.add("3"));
    purged.assert_waits().await;
    hold.release();
    assert_eq!(before.now().await, Ok(2));
    assert_eq!(purged.now().await.unwrap(), 2);
    assert_eq!(after.now().await, Ok(1));
    assert_eq!(kinds(&world).await, "__ds");
}

#[statefn::test]
async fn a_purge_that_failed_half_way_is_done_by_the_next_one() {
    let world = world().await;
    let note = world.runtime.entity::<Note>("a");
    note.add("1").await.unwrap();
    world.store.fail(Call::Erase, 1);
    let failed = world.runtime.purge::<Note>("a").await;
    assert!(matches!(failed, Err(PurgeError::Erasure(_))), "{failed:?}");
    assert_eq!(note.lines().await, Ok(Vec::new()));
    assert_eq!(kinds(&world).await, "sd");
    assert_eq!(world.runtime.purge::<Note>("a").await.unwrap(), 1);
    assert_eq!(kinds(&world).await, "_d");
}

#[statefn::test]
async fn what_was_never_there_needs_no_purge_and_one_that_is_invalid_is_refused() {
    let world = world().await;
    assert_eq!(world.runtime.purge::<Note>("nobody").await.unwrap(), 0);
    assert_eq!(kinds(&world).await, "");
    assert!(world.store.entity_types().await.unwrap().is_empty());
    let refused = world.runtime.purge::<Note>("").await;
    assert!(matches!(
        refused,
        Err(PurgeError::Deletion(CallError::Invalid { .. }))
    ));
    let refused = world.runtime.purge::<Account>("a").await;
    assert!(matches!(
        refused,
        Err(PurgeError::Deletion(CallError::NotHosted { .. }))
    ));
}
