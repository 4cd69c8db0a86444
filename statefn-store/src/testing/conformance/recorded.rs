//! Idempotency records: found by key, newest first, per entity.

use super::draft::{Draft, cart};
use super::trial::Trial;
use crate::testing::Fixture;
use crate::{Offset, PersistenceId, StoredRecord};

async fn find(trial: &Trial<'_>, id: &PersistenceId, key: &str, newest: u64) -> Option<u64> {
    let newest = Offset::new(newest);
    let found = trial.store.find_record(id, key, newest).await;
    let Ok(found) = found else {
        panic!("the search for {key:?} failed: {found:?}");
    };
    assert_eq!(
        found,
        trial.model.find_record(id, key, newest),
        "the record {key:?}"
    );
    found.map(|record: StoredRecord| record.offset.get())
}

/// Records on events and alone form one chain, longer than a page of anything.
pub(super) async fn records_are_found_along_a_long_chain(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    for number in 0..300_usize {
        let key = format!("key-{number}");
        let member = trial.next(&a).events(number % 3).record(&key).done();
        let plain = trial.next(&cart("b")).events(1).record("key-0").done();
        trial.commit(vec![member, plain]).await;
    }
    let newest = trial.model.head(&a).record.get();
    for number in [0, 1, 2, 150, 298, 299] {
        let found = find(&trial, &a, &format!("key-{number}"), newest).await;
        assert!(found.is_some(), "key-{number} was not found");
    }
    assert_eq!(find(&trial, &a, "key-300", newest).await, None);
    trial.check().await;
}

/// A key that was used again is found as it was used last.
pub(super) async fn records_under_a_reused_key_are_found_newest_first(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    for key in ["k", "l", "k", "m"] {
        let member = trial.next(&a).events(1).record(key).done();
        trial.commit(vec![member]).await;
    }
    assert_eq!(find(&trial, &a, "k", 4).await, Some(3));
    assert_eq!(find(&trial, &a, "k", 3).await, Some(3));
    assert_eq!(find(&trial, &a, "m", 4).await, Some(4));
    // From an older record on, the newer ones are not seen.
    assert_eq!(find(&trial, &a, "k", 2).await, Some(1));
    assert_eq!(find(&trial, &a, "m", 3).await, None);
}

/// Nothing is found where nothing is: unknown key, entity without records, unknown entity.
pub(super) async fn records_that_are_missing_are_not_found(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let member = trial.next(&cart("a")).events(2).done();
    trial.commit(vec![member]).await;
    assert_eq!(find(&trial, &cart("a"), "k", 0).await, None);
    assert_eq!(find(&trial, &cart("nobody"), "k", 0).await, None);
    let member = trial.next(&cart("a")).record("k").done();
    trial.commit(vec![member]).await;
    for key in ["", "K", "k ", "k\0", "kk"] {
        assert_eq!(
            find(&trial, &cart("a"), key, 3).await,
            None,
            "{key:?} is not \"k\""
        );
    }
    assert_eq!(find(&trial, &cart("a"), "k", 3).await, Some(3));
}

/// A key belongs to its entity.
pub(super) async fn records_belong_to_their_entity(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let (a, b, c) = (cart("a"), cart("b"), PersistenceId::new("user", "a"));
    let members = vec![
        Draft::new(&a, 0).events(1).record("k").done(),
        Draft::new(&b, 0).record("k").done(),
        Draft::new(&c, 0).events(2).record("l").done(),
        Draft::new(&a, 1).record("only a").done(),
    ];
    trial.commit(members).await;
    assert_eq!(find(&trial, &a, "k", 5).await, Some(1));
    assert_eq!(find(&trial, &b, "k", 2).await, Some(2));
    assert_eq!(find(&trial, &c, "k", 4).await, None);
    assert_eq!(find(&trial, &b, "only a", 2).await, None);
}

/// A record rides on the last event of its member, and stands alone when there is none.
pub(super) async fn records_ride_on_the_last_event(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    let members = vec![
        Draft::new(&a, 0).events(3).record("k").done(),
        Draft::new(&a, 3).record("l").done(),
    ];
    trial.commit(members).await;
    let entries = trial.read_all(1).await;
    let records: Vec<Option<u64>> = entries
        .iter()
        .map(|entry| entry.body.record().map(|record| record.offset.get()))
        .collect();
    assert_eq!(records, [None, None, Some(3), Some(4)]);
    trial.check().await;
}
