//! B10: a state or a deletion takes the place of everything before it.

use super::draft::{Draft, cart};
use super::replayed::expect;
use super::tape::Wish;
use super::trial::Trial;
use crate::testing::Fixture;
use crate::{Member, Outcome};

async fn commit_one_by_one(trial: &mut Trial<'_>, drafts: Vec<Draft>) {
    for draft in drafts {
        let outcomes = trial.commit(vec![draft.done()]).await;
        assert!(matches!(outcomes.first(), Some(Outcome::Committed { .. })));
    }
}

/// A load hands over the newest state and what came after it, also behind many older ones.
pub(super) async fn b10_state_replaces_what_was_before(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let (a, b) = (cart("a"), cart("b"));
    commit_one_by_one(
        &mut trial,
        vec![
            Draft::new(&a, 0).state().record("k1"),
            Draft::new(&b, 0).events(3),
            Draft::new(&a, 1).state(),
            Draft::new(&b, 3).state(),
            Draft::new(&a, 2).record("k2"),
            Draft::new(&b, 4).events(2),
            Draft::new(&a, 2).state_of(Vec::new()).record("k3"),
        ],
    )
    .await;
    expect(&trial, "a", Wish::ALL, "r10 r7 r1 w3").await;
    expect(&trial, "b", Wish::ALL, "w4 e5 e6").await;
    let many = (3..40).map(|expected| Draft::new(&a, expected).state().done());
    let members: Vec<Member> = many.collect();
    trial.commit(members).await;
    expect(&trial, "a", Wish::ALL, "r10 r7 r1 w40").await;
    trial.check().await;
}

/// Behind a deletion there is nothing, and its sequence numbers go on.
pub(super) async fn b10_deletion_begins_anew(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let (a, b) = (cart("a"), cart("b"));
    commit_one_by_one(
        &mut trial,
        vec![
            Draft::new(&a, 0).events(2).record("k1"),
            Draft::new(&b, 0).delete(),
            Draft::new(&a, 2).events(1).delete().record("k2"),
        ],
    )
    .await;
    expect(&trial, "a", Wish::ALL, "r5 r2 d4").await;
    expect(&trial, "b", Wish::ALL, "d1").await;
    commit_one_by_one(
        &mut trial,
        vec![Draft::new(&a, 4).events(2), Draft::new(&b, 1).state()],
    )
    .await;
    expect(&trial, "a", Wish::ALL, "r5 r2 d4 e5 e6").await;
    expect(&trial, "b", Wish::ALL, "w2").await;
    trial.check().await;
}

/// A snapshot from before is not offered any more; one from after is.
pub(super) async fn b10_snapshots_go_with_the_state_before(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    commit_one_by_one(
        &mut trial,
        vec![
            Draft::new(&a, 0).events(2).snapshot(),
            Draft::new(&a, 2).events(1).delete(),
            Draft::new(&a, 4).events(1),
        ],
    )
    .await;
    expect(&trial, "a", Wish::ALL, "d4 e5").await;
    let next = trial.next(&a).events(2).snapshot();
    commit_one_by_one(&mut trial, vec![next]).await;
    expect(&trial, "a", Wish::ALL, "s7").await;
    expect(&trial, "a", Wish::ALL_EVENTS, "s7 d4 e5 e6 e7").await;
    trial.check().await;
}

/// An operator leaves a state or a deletion out: what was before it counts again.
pub(super) async fn b10_skipped_state_gives_way_to_the_one_before(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let (a, b) = (cart("a"), cart("b"));
    commit_one_by_one(
        &mut trial,
        vec![
            Draft::new(&a, 0).state(),
            Draft::new(&a, 1).state(),
            Draft::new(&a, 2).state(),
            Draft::new(&b, 0).events(2),
            Draft::new(&b, 2).delete(),
            Draft::new(&b, 3).events(1),
            Draft::new(&a, 3).skip(3),
            Draft::new(&b, 4).skip(3),
        ],
    )
    .await;
    expect(&trial, "a", Wish::ALL, "w2 x3").await;
    expect(&trial, "b", Wish::ALL, "e1 e2 x3 e4").await;
    commit_one_by_one(&mut trial, vec![Draft::new(&a, 3).skip(2)]).await;
    expect(&trial, "a", Wish::ALL, "w1 x2 x3").await;
    let next = trial.next(&a).state();
    commit_one_by_one(&mut trial, vec![next]).await;
    expect(&trial, "a", Wish::ALL, "w4").await;
    trial.check().await;
}

/// A replay that breaks at the state hears no event.
pub(super) async fn b10_replay_may_end_at_the_state(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let (a, b) = (cart("a"), cart("b"));
    let members = vec![
        Draft::new(&a, 0).state().done(),
        Draft::new(&a, 1).events(3).done(),
        Draft::new(&b, 0).events(1).delete().done(),
        Draft::new(&b, 2).events(1).done(),
        Draft::new(&b, 3).skip(1).done(),
    ];
    trial.commit(members).await;
    let wish = Wish {
        events_max: 1,
        ..Wish::ALL
    };
    expect(&trial, "a", wish, "w1").await;
    expect(&trial, "b", wish, "d2").await;
}

/// States and deletions are numbered as events are, and checked against them.
pub(super) async fn b10_states_advance_the_sequence_number(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    let members = vec![
        Draft::new(&a, 0).events(2).state().done(),
        Draft::new(&a, 3).delete().record("k").done(),
        Draft::new(&a, 4).record("l").done(),
    ];
    trial.commit(members).await;
    let outcomes = trial.commit(vec![Draft::new(&a, 3).state().done()]).await;
    assert!(matches!(outcomes.first(), Some(Outcome::Refused(_))));
    let entries = trial.read_all(1).await;
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.sequence.get()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 4]);
    trial.check().await;
}
