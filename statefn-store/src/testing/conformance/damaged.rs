//! B7 and B8: damaged bytes are never handed out, and concern their own entity only.

use super::draft::{Draft, cart};
use super::tape::{Heard, Wish};
use super::trial::{Trial, corrupt};
use crate::testing::Fixture;
use crate::{Offset, SequenceNumber};

/// Entity `a` (offsets 1, 3, 5, 7, 9; a record `k` on 5) between the events of `b`; then the entry
/// at `offset` is damaged.
async fn damaged_at(fixture: &dyn Fixture, offset: u64) -> Trial<'_> {
    let mut trial = Trial::open(fixture).await;
    for number in 0..5 {
        let mut of_a = trial.next(&cart("a")).events(1);
        if number == 2 {
            of_a = of_a.record("k");
        }
        let of_b = trial.next(&cart("b")).events(1);
        trial.commit(vec![of_a.done(), of_b.done()]).await;
    }
    trial.close().await;
    fixture.damage(Offset::new(offset));
    trial.open_again().await;
    trial
}

/// The third event of `a` is damaged, which holds a record.
async fn damaged(fixture: &dyn Fixture) -> Trial<'_> {
    damaged_at(fixture, 5).await
}

/// The damaged entity is refused with the place of the damage; its neighbour is served.
pub(super) async fn b7_damage_stops_its_own_entity_only(fixture: &dyn Fixture) {
    let mut trial = damaged(fixture).await;
    let (offset, sequence) = trial.damage_of(&cart("a"), Wish::ALL).await;
    assert_eq!((offset.get(), sequence.get()), (5, 3), "the damage named");
    trial.check_entity(&cart("b")).await;
    let members = vec![
        trial.next(&cart("b")).events(1).done(),
        trial.next(&cart("new")).events(1).done(),
    ];
    trial.commit(members).await;
    trial.check_entity(&cart("b")).await;
    trial.check_entity(&cart("new")).await;
}

/// A page ends before damage; a page that would begin with it fails; the next one goes on.
pub(super) async fn b8_page_ends_before_damage(fixture: &dyn Fixture) {
    let trial = damaged(fixture).await;
    let page = trial.read(1, usize::MAX).await;
    assert_eq!(
        page,
        trial.model.entries.get(..4).unwrap_or(&[]),
        "the page before"
    );
    match trial.store.read(Offset::new(5), 10).await {
        Ok(page) => panic!("damage was handed out: {page:?}"),
        Err(error) => assert_eq!(corrupt(&error).0, Offset::new(5), "the damage named"),
    }
    let page = trial.read_all(6).await;
    assert_eq!(
        page,
        trial.model.entries.get(5..).unwrap_or(&[]),
        "the page behind"
    );
}

/// A search that comes to damage fails: "not found" would let a command run twice.
pub(super) async fn b8_search_fails_at_damage(fixture: &dyn Fixture) {
    let trial = damaged(fixture).await;
    match trial
        .store
        .find_record(&cart("a"), "k", Offset::new(5))
        .await
    {
        Ok(found) => panic!("damage was answered with {found:?}"),
        Err(error) => assert_eq!(corrupt(&error).0, Offset::new(5), "the damage named"),
    }
}

/// The check names the place, and goes on counting.
pub(super) async fn verify_names_damage(fixture: &dyn Fixture) {
    let trial = damaged(fixture).await;
    let Ok(report) = trial.store.verify().await else {
        panic!("a check fails on damage instead of reporting it");
    };
    let named = report
        .faults
        .iter()
        .any(|fault| fault.offset == Some(Offset::new(5)));
    assert!(
        named,
        "the fault at offset 5 is not named: {:?}",
        report.faults
    );
    assert_eq!((report.entities, report.entries), (2, 10), "what was seen");
}

/// An operator's skip lets the entity go on without the damaged event.
///
/// Of damage to an event that holds a record the suite demands nothing: to pass over it would
/// forget a key.
pub(super) async fn load_passes_over_skipped_damage(fixture: &dyn Fixture) {
    let mut trial = damaged_at(fixture, 7).await;
    let a = cart("a");
    let place = trial.damage_of(&a, Wish::ALL).await;
    let (offset, sequence) = (Offset::new(7), SequenceNumber::new(4));
    assert_eq!(place, (offset, sequence), "the damage named");
    let skip = trial.next(&a).skip(4).done();
    trial.commit(vec![skip]).await;
    trial.check_entity(&a).await;
    let later = trial.next(&a).events(1).snapshot().record("l").done();
    trial.commit(vec![later]).await;
    trial.check_entity(&a).await;
    trial.reopen().await;
    trial.check_entity(&a).await;
    trial.check_entity(&cart("b")).await;
}

/// A snapshot that cannot be read is not offered; all events are.
pub(super) async fn b8_damaged_snapshot_is_not_offered(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let (a, b) = (cart("a"), cart("b"));
    let members = vec![
        Draft::new(&a, 0).events(3).snapshot().done(),
        Draft::new(&b, 0).events(3).snapshot().done(),
        Draft::new(&a, 3).events(1).done(),
    ];
    trial.commit(members).await;
    trial.close().await;
    fixture.damage_snapshot(&a);
    trial.open_again().await;
    let (head, calls) = trial.load(&a, Wish::ALL).await;
    assert_eq!(head, trial.model.head(&a), "the head");
    let mut expected = trial.model.replay(&a, Wish::ALL_EVENTS);
    expected.retain(|call| !matches!(call, Heard::Snapshot { .. }));
    assert_eq!(calls, expected, "the replay without the snapshot");
    trial.check_entity(&b).await;
    let Ok(report) = trial.store.verify().await else {
        panic!("a check fails on damage instead of reporting it");
    };
    let named = report
        .faults
        .iter()
        .any(|fault| fault.id.as_ref() == Some(&a));
    assert!(
        named,
        "the damaged snapshot is not named: {:?}",
        report.faults
    );
}
