//! What a load streams, and in which order.

use super::draft::{Draft, cart};
use super::tape::{Heard, Wish};
use super::trial::{Trial, same};
use crate::testing::Fixture;
use crate::{Head, Member, Offset, SequenceNumber};

/// One word a call: `r<offset>`, `s<sequence>`, `e<sequence>`, `w<sequence>` for a whole state,
/// `d<sequence>` for a deletion, `x<sequence>` for what was skipped.
pub(super) fn words(calls: &[Heard]) -> String {
    let words: Vec<String> = calls
        .iter()
        .map(|call| match call {
            Heard::Record { offset, .. } => format!("r{offset}"),
            Heard::Snapshot { sequence, .. } => format!("s{sequence}"),
            Heard::State(state) if state.state.is_none() => format!("d{}", state.sequence),
            Heard::State(state) => format!("w{}", state.sequence),
            Heard::Event(event) => format!("e{}", event.sequence),
            Heard::Skipped(sequence) => format!("x{sequence}"),
        })
        .collect();
    words.join(" ")
}

pub(super) async fn expect(trial: &Trial<'_>, id: &str, wish: Wish, expected: &str) {
    let (head, calls) = trial.load(&cart(id), wish).await;
    assert_eq!(words(&calls), expected, "the replay of {id} under {wish:?}");
    same(&calls, &trial.model.replay(&cart(id), wish), "the replay");
    assert_eq!(head, trial.model.head(&cart(id)), "the head");
}

/// Entity `a`: eight events, a snapshot after 3 and after 6, three records; `b` between.
async fn long_life(fixture: &dyn Fixture) -> Trial<'_> {
    let mut trial = Trial::open(fixture).await;
    let (a, b) = (cart("a"), cart("b"));
    let batches: [Vec<Member>; 3] = [
        vec![
            Draft::new(&a, 0).events(2).record("k1").done(),
            Draft::new(&b, 0).events(2).snapshot().record("b").done(),
            Draft::new(&a, 2).events(1).snapshot().done(),
        ],
        vec![
            Draft::new(&a, 3).record("k2").done(),
            Draft::new(&a, 3).events(3).snapshot().record("k3").done(),
        ],
        vec![
            Draft::new(&b, 2).skip(1).done(),
            Draft::new(&a, 6).events(2).done(),
        ],
    ];
    for members in batches {
        trial.commit(members).await;
    }
    trial
}

/// An entity that the store does not know has the default head and no calls.
pub(super) async fn load_of_an_unknown_entity_is_silent(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    for _ in 0..2 {
        let (head, calls) = trial.load(&cart("nobody"), Wish::ALL).await;
        assert_eq!((head, words(&calls)), (Head::default(), String::new()));
        let other = trial.next(&cart("somebody")).events(1).done();
        trial.commit(vec![other]).await;
    }
    trial.check().await;
}

/// Records newest first, then the newest snapshot, then the events after it.
pub(super) async fn load_streams_records_snapshot_events(fixture: &dyn Fixture) {
    let trial = long_life(fixture).await;
    expect(&trial, "a", Wish::ALL, "r9 r6 r2 s6 e7 e8").await;
    expect(&trial, "b", Wish::ALL, "r4 s2").await;
}

/// A snapshot that the replay refuses is followed by all events from 1.
pub(super) async fn load_after_a_refused_snapshot_has_all_events(fixture: &dyn Fixture) {
    let trial = long_life(fixture).await;
    let all = "r9 r6 r2 s6 e1 e2 e3 e4 e5 e6 e7 e8";
    expect(&trial, "a", Wish::ALL_EVENTS, all).await;
    expect(&trial, "b", Wish::ALL_EVENTS, "r4 s2 x1 e2").await;
}

/// A break ends the records, or the events, and nothing else.
pub(super) async fn load_stops_where_the_replay_breaks(fixture: &dyn Fixture) {
    let trial = long_life(fixture).await;
    let records = |records_max| Wish {
        records_max,
        ..Wish::ALL
    };
    expect(&trial, "a", records(1), "r9 s6 e7 e8").await;
    expect(&trial, "a", records(2), "r9 r6 s6 e7 e8").await;
    expect(&trial, "a", records(3), "r9 r6 r2 s6 e7 e8").await;
    let events = |events_max, accept_snapshot| Wish {
        accept_snapshot,
        events_max,
        ..Wish::ALL
    };
    expect(&trial, "a", events(1, true), "r9 r6 r2 s6 e7").await;
    expect(&trial, "a", events(1, false), "r9 r6 r2 s6 e1").await;
    expect(
        &trial,
        "a",
        events(7, false),
        "r9 r6 r2 s6 e1 e2 e3 e4 e5 e6 e7",
    )
    .await;
    expect(&trial, "b", events(1, false), "r4 s2 x1 e2").await;
}

/// A later snapshot replaces an earlier one, also within one batch; a refused one never does.
pub(super) async fn load_offers_the_newest_snapshot(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    let members = vec![
        Draft::new(&a, 0).events(1).snapshot().done(),
        Draft::new(&a, 1).events(1).snapshot().done(),
        Draft::new(&a, 1).events(3).snapshot().done(),
    ];
    trial.commit(members).await;
    expect(&trial, "a", Wish::ALL, "s2").await;
    for expected in 2..6 {
        let member = Draft::new(&a, expected).events(1).snapshot().done();
        trial.commit(vec![member]).await;
        expect(&trial, "a", Wish::ALL, &format!("s{}", expected + 1)).await;
    }
    let later = trial.next(&a).events(2).done();
    trial.commit(vec![later]).await;
    expect(&trial, "a", Wish::ALL, "s6 e7 e8").await;
}

/// The head counts entries of all kinds, each in its own field.
pub(super) async fn load_answers_the_head(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    let steps = [
        (Draft::new(&a, 0).record("k"), (0, 1, 1)),
        (Draft::new(&a, 0).events(2), (2, 3, 1)),
        (Draft::new(&a, 2).skip(1), (2, 4, 1)),
        (Draft::new(&a, 2).events(2).record("l").skip(2), (4, 7, 6)),
        (Draft::new(&a, 4).record("m"), (4, 8, 8)),
    ];
    for (draft, (sequence, position, record)) in steps {
        trial.commit(vec![draft.done()]).await;
        let expected = Head {
            sequence: SequenceNumber::new(sequence),
            position: Offset::new(position),
            record: Offset::new(record),
        };
        for wish in [
            Wish::ALL,
            Wish {
                events_max: 1,
                ..Wish::ALL
            },
        ] {
            let (head, _) = trial.load(&a, wish).await;
            assert_eq!(head, expected, "the head under {wish:?}");
        }
    }
}

/// Skipped events are named in their place; they leave no gap without a word.
pub(super) async fn load_names_skipped_events_in_their_place(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    let first = trial.next(&a).events(5).done();
    let other = trial.next(&cart("b")).events(5).done();
    trial.commit(vec![first, other]).await;
    // Later decisions about earlier events, one of them twice.
    for skip in [4, 2, 1, 2, 5] {
        let member = trial.next(&a).skip(skip).done();
        trial.commit(vec![member]).await;
    }
    expect(&trial, "a", Wish::ALL, "x1 x2 e3 x4 x5").await;
    expect(&trial, "b", Wish::ALL, "e1 e2 e3 e4 e5").await;
    let later = trial.next(&a).events(1).skip(6).done();
    trial.commit(vec![later]).await;
    expect(&trial, "a", Wish::ALL, "x1 x2 e3 x4 x5 x6").await;
    trial.check().await;
}

/// A skip before an accepted snapshot is not named; without the snapshot it is.
pub(super) async fn load_passes_skips_that_the_snapshot_covers(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    let members = vec![
        Draft::new(&a, 0).events(3).snapshot().done(),
        Draft::new(&a, 3).events(2).done(),
        Draft::new(&a, 5).skip(2).done(),
        Draft::new(&a, 5).skip(4).done(),
    ];
    trial.commit(members).await;
    expect(&trial, "a", Wish::ALL, "s3 x4 e5").await;
    expect(&trial, "a", Wish::ALL_EVENTS, "s3 e1 x2 e3 x4 e5").await;
}
