//! B6: offsets rise by one in commit order, and pages follow them.

use super::draft::{Draft, cart};
use super::trial::{Trial, same};
use crate::testing::Fixture;
use crate::{Entry, EntryBody, Timestamp};

fn offsets(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.offset.get()).collect()
}

/// Ten entries of all kinds from several batches.
async fn ten_entries(fixture: &dyn Fixture) -> Trial<'_> {
    let mut trial = Trial::open(fixture).await;
    let (a, b) = (cart("a"), cart("b"));
    let members = vec![
        Draft::new(&b, 0).events(2).done(),
        Draft::new(&a, 0).events(1).record("k").done(),
    ];
    trial.commit(members).await;
    let refused = Draft::new(&a, 7).events(5).done();
    trial.commit(vec![refused]).await;
    let members = vec![
        Draft::new(&a, 1).events(2).snapshot().done(),
        Draft::new(&b, 2).record("k").done(),
        Draft::new(&a, 3).skip(2).done(),
        Draft::new(&b, 2).events(2).record("l").skip(1).done(),
    ];
    trial.commit(members).await;
    trial
}

/// Offsets start at 1 and have no gaps, over batches, refusals and kinds of entry.
pub(super) async fn b6_offsets_rise_by_one_from_one(fixture: &dyn Fixture) {
    let trial = ten_entries(fixture).await;
    let entries = trial.read_all(0).await;
    assert_eq!(offsets(&entries), (1..=10).collect::<Vec<_>>());
    trial.check().await;
}

/// A clock that jumps ten years back and forth changes nothing but the times that come back.
pub(super) async fn b6_order_does_not_follow_the_clock(fixture: &dyn Fixture) {
    const TEN_YEARS: i64 = 10 * 365 * 24 * 3_600 * 1_000;
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    for time in [TEN_YEARS, 0, -TEN_YEARS, i64::MAX, i64::MIN, TEN_YEARS, 1] {
        let mut member = trial.next(&a).events(2).snapshot().record("k").done();
        member.time = Timestamp::from_millis(time);
        trial.commit(vec![member]).await;
        trial.check().await;
    }
    let entries = trial.read_all(0).await;
    assert_eq!(offsets(&entries), (1..=14).collect::<Vec<_>>());
}

/// Within a batch the journal keeps the order of the members, and theirs.
pub(super) async fn b6_journal_keeps_the_order_of_members(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let names = ["d", "a", "c", "a", "b", "a"];
    let members = names.iter().enumerate().map(|(at, id)| {
        let before = names.iter().take(at).filter(|n| *n == id).count();
        Draft::new(&cart(id), 2 * before as u64).events(2).done()
    });
    trial.commit(members.collect()).await;
    let entries = trial.read_all(1).await;
    let order: Vec<String> = entries
        .iter()
        .map(|e| format!("{}{}", e.id.id(), e.sequence))
        .collect();
    let expected = [
        "d1", "d2", "a1", "a2", "c1", "c2", "a3", "a4", "b1", "b2", "a5", "a6",
    ];
    assert_eq!(order, expected);
}

/// Within a member: events, then a record that found no event, then a skip.
pub(super) async fn b6_journal_keeps_the_order_within_a_member(fixture: &dyn Fixture) {
    let trial = ten_entries(fixture).await;
    let entries = trial.read_all(6).await;
    let kinds: Vec<&str> = entries.iter().map(kind).collect();
    assert_eq!(kinds, ["record", "skip", "event", "event+record", "skip"]);
}

fn kind(entry: &Entry) -> &'static str {
    match &entry.body {
        EntryBody::Event { record: None, .. } => "event",
        EntryBody::Event { .. } => "event+record",
        EntryBody::Record(_) => "record",
        EntryBody::Skip { .. } => "skip",
        EntryBody::State { .. } => "state",
        EntryBody::Deleted { .. } => "deleted",
        EntryBody::Erased { .. } => "erased",
        EntryBody::Sent => "sent",
    }
}

/// A page starts at `from` and ends at `limit`; pages together are the journal.
pub(super) async fn b6_pages_together_are_the_journal(fixture: &dyn Fixture) {
    let trial = ten_entries(fixture).await;
    for limit in [1, 2, 3, 9, 10, 11] {
        let mut from = 1;
        let mut seen = Vec::new();
        loop {
            let page = trial.read(from, limit).await;
            assert!(
                page.len() <= limit,
                "a page of {} above {limit}",
                page.len()
            );
            let Some(last) = page.last() else { break };
            from = last.offset.get() + 1;
            seen.extend(page);
        }
        same(&seen, &trial.model.entries, &format!("pages of {limit}"));
    }
    assert_eq!(
        offsets(&trial.read(0, 2).await),
        [1, 2],
        "zero is before the first"
    );
    assert_eq!(offsets(&trial.read(4, 3).await), [4, 5, 6]);
}

/// A page that must be empty is empty, and not an error.
pub(super) async fn b6_empty_pages(fixture: &dyn Fixture) {
    let empty = Trial::open(fixture).await;
    assert_eq!(
        offsets(&empty.read(0, 10).await),
        [0; 0],
        "of an empty store"
    );
    empty.close().await;
}

/// Nothing lies at or behind the end, however far.
pub(super) async fn b6_pages_beyond_the_end_are_empty(fixture: &dyn Fixture) {
    let trial = ten_entries(fixture).await;
    for from in [11, 12, 1_000_000, i64::MAX as u64, u64::MAX - 1, u64::MAX] {
        assert_eq!(offsets(&trial.read(from, 10).await), [0; 0], "from {from}");
    }
    assert_eq!(offsets(&trial.read(1, 0).await), [0; 0], "of no entries");
    assert_eq!(offsets(&trial.read(10, usize::MAX).await), [10]);
}
