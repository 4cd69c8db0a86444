//! Changes in place are speculated, gated and committed in groups as events are.

use statefn::store::{EntryBody, Offset, Store};
use statefn::{CallError, Persisted, SequenceNumber};
use statefn_store::testing::{Call, CommitFault};

use super::note::Note;
use super::{kinds, world};
use crate::kit::{pending, persisted};

#[statefn::test]
async fn nobody_sees_a_change_or_a_deletion_before_it_is_committed() {
    let world = world().await;
    let note = world.runtime.entity::<Note>("a");
    note.add("1").await.unwrap();
    let hold = world.store.hold(Call::Commit);
    let added = pending(note.add("2"));
    let mut seen = pending(note.lines());
    let torn = pending(note.tear());
    let mut gone = pending(note.lines());
    let again = pending(note.add("3"));
    seen.assert_waits().await;
    gone.assert_waits().await;
    hold.release();
    assert_eq!(added.now().await, Ok(2));
    assert_eq!(seen.now().await.unwrap(), ["1", "2"]);
    assert_eq!(torn.now().await.unwrap().1, 2);
    assert_eq!(gone.now().await, Ok(Vec::new()));
    assert_eq!(again.now().await, Ok(1));
    assert_eq!(kinds(&world).await, "ssds");
    assert_eq!(
        world.store.count(Call::Commit),
        3,
        "two batches after the first"
    );
    world.assert_quiet().await;
}

#[statefn::test]
async fn what_was_decided_on_a_failed_write_is_gone() {
    let world = world().await;
    let note = world.runtime.entity::<Note>("a");
    note.add("1").await.unwrap();
    for fault in [CommitFault::Unavailable, CommitFault::UnknownNotApplied] {
        world.store.next_commits([fault]);
        let hold = world.store.hold(Call::Commit);
        let torn = pending(note.tear());
        let added = pending(note.add("2"));
        hold.release();
        let first = torn.now().await;
        assert!(first.is_err(), "{first:?}");
        assert_eq!(persisted(&added.now().await), Persisted::No);
        assert_eq!(note.lines().await.unwrap(), ["1"]);
    }
    assert_eq!(kinds(&world).await, "s");
}

#[statefn::test]
async fn a_damaged_state_stops_its_entity_and_the_one_before_comes_back_when_it_is_skipped() {
    let world = world().await;
    let (note, other) = (
        world.runtime.entity::<Note>("a"),
        world.runtime.entity::<Note>("b"),
    );
    note.add("1").await.unwrap();
    note.add("2").await.unwrap();
    other.add("1").await.unwrap();
    world.store.damage(&note_id("a"), SequenceNumber::new(2));
    world.runtime.crash().await.unwrap();
    let error = note.lines().await.unwrap_err();
    let CallError::Quarantined(quarantine) = error else {
        panic!("{error:?}");
    };
    assert_eq!(quarantine.sequence.get(), 2);
    assert_eq!(other.lines().await.unwrap(), ["1"]);
    let skipped = world.runtime.admin();
    let skipped = skipped.skip("note", "a", quarantine.sequence, "the disk lost it");
    skipped.await.unwrap();
    assert_eq!(note.lines().await.unwrap(), ["1"]);
    assert_eq!(note.add("3").await, Ok(2));
    assert_eq!(note.number().await.unwrap().0, 3);
}

#[statefn::test]
async fn one_command_one_entry_with_its_record_and_metadata() {
    let world = world().await;
    let note = world.runtime.entity::<Note>("a");
    let added = note.add("1").with_key("k").with_metadata("by", "alice");
    added.await.unwrap();
    let entries = world.store.read(Offset::new(1), 10).await.unwrap();
    let [entry] = entries.as_slice() else {
        panic!("{entries:?}");
    };
    assert!(
        matches!(&entry.body, EntryBody::State { record: Some(record), .. } if record.key == "k")
    );
    assert!(!entry.metadata.is_empty());
}

fn note_id(id: &str) -> statefn::store::PersistenceId {
    statefn::store::PersistenceId::new("note", id)
}
