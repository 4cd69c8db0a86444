//! B11: what is erased is gone, and nothing else.

use super::draft::{Draft, cart};
use super::replayed::expect;
use super::tape::Wish;
use super::trial::Trial;
use crate::testing::Fixture;
use crate::{CommitError, EntryBody, Timestamp};

/// Keeps no record, and every record.
const ALL: Timestamp = Timestamp::from_millis(i64::MAX);
const NONE: Timestamp = Timestamp::from_millis(i64::MIN);

/// Entity `a` with entries of every kind, then its deletion at offset 9; `b` between.
async fn deleted(fixture: &dyn Fixture) -> Trial<'_> {
    let mut trial = Trial::open(fixture).await;
    let (a, b) = (cart("a"), cart("b"));
    trial
        .commit(vec![
            Draft::new(&a, 0).events(2).snapshot().record("k1").done(),
            Draft::new(&b, 0).events(1).delete().done(),
            Draft::new(&a, 2).record("k2").done(),
            Draft::new(&a, 2).state().record("k3").done(),
            Draft::new(&a, 3).skip(1).done(),
            Draft::new(&a, 3).events(1).delete().record("k4").done(),
        ])
        .await;
    trial
}

/// Every entry before the deletion is a marker in its place; a second time there is nothing to do.
pub(super) async fn b11_erased_entries_say_nothing(fixture: &dyn Fixture) {
    let mut trial = deleted(fixture).await;
    assert_eq!(trial.erase(&cart("a"), ALL).await, 6);
    assert_eq!(trial.erase(&cart("a"), ALL).await, 0);
    let entries = trial.read_all(1).await;
    let own = entries.iter().filter(|entry| entry.id == cart("a"));
    for entry in own.filter(|entry| entry.offset.get() < 9) {
        assert_eq!(entry.body, EntryBody::Erased { record: None });
        assert_eq!(entry.metadata, b"");
    }
    expect(&trial, "a", Wish::ALL, "r9 d5").await;
    trial.check().await;
    let report = trial.store.verify().await;
    assert!(report.is_ok_and(|report| report.faults.is_empty()));
}

/// The deletion, what comes after it, and other entities stay.
pub(super) async fn b11_erasure_ends_at_the_deletion(fixture: &dyn Fixture) {
    let mut trial = deleted(fixture).await;
    let (a, b) = (cart("a"), cart("b"));
    let members = vec![
        Draft::new(&a, 5).events(2).snapshot().record("k5").done(),
        Draft::new(&b, 2).state().done(),
    ];
    trial.commit(members).await;
    assert_eq!(trial.erase(&a, ALL).await, 6);
    expect(&trial, "a", Wish::ALL_EVENTS, "r11 r9 s7 d5 e6 e7").await;
    expect(&trial, "b", Wish::ALL, "w3").await;
    assert_eq!(trial.erase(&b, ALL).await, 1);
    expect(&trial, "b", Wish::ALL, "w3").await;
    let next = trial.next(&a).events(1).delete().done();
    trial.commit(vec![next]).await;
    assert_eq!(trial.erase(&a, ALL).await, 4);
    trial.check().await;
}

/// Records from an instant on keep key and fingerprint, and lose what was answered.
pub(super) async fn b11_records_are_kept_as_asked(fixture: &dyn Fixture) {
    let mut trial = deleted(fixture).await;
    let a = cart("a");
    assert_eq!(trial.erase(&a, NONE).await, 6);
    expect(&trial, "a", Wish::ALL, "r9 r6 r5 r2 d5").await;
    trial.check().await;
    // Times fall while sequence numbers rise: only the oldest record is left.
    assert_eq!(trial.erase(&a, Timestamp::from_millis(1_000_000)).await, 2);
    expect(&trial, "a", Wish::ALL, "r9 r2 d5").await;
    trial.check().await;
}

/// Without a deletion there is nothing to erase, nor in an entity that was never there.
pub(super) async fn b11_nothing_is_erased_without_a_deletion(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let members = vec![
        Draft::new(&cart("a"), 0).events(3).record("k").done(),
        Draft::new(&cart("b"), 0).state().done(),
    ];
    trial.commit(members).await;
    for id in ["a", "b", "nobody"] {
        assert_eq!(trial.erase(&cart(id), ALL).await, 0);
    }
    trial.check().await;
}

/// An owner whose epoch is over erases nothing.
pub(super) async fn b11_erasure_is_fenced(fixture: &dyn Fixture) {
    let mut trial = deleted(fixture).await;
    let held = trial.epoch;
    trial.epoch = super::trial::claim(&*trial.store).await;
    let erased = trial.store.erase(held, &cart("a"), ALL).await;
    assert!(
        matches!(erased, Err(CommitError::Fenced { held: h, current }) if h == held && current == trial.epoch),
        "{erased:?}"
    );
    trial.check().await;
    trial.erase(&cart("a"), ALL).await;
    trial.check().await;
}
