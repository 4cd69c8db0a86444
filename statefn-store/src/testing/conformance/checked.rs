//! B3: a member that expects another sequence number is refused, alone.

use super::draft::{Draft, cart};
use super::trial::{Trial, same};
use crate::testing::Fixture;
use crate::{Member, Offset, Outcome, PersistenceId, Refusal, SequenceNumber};

fn stale(expected: u64, actual: u64) -> Outcome {
    Outcome::Refused(Refusal::Stale {
        expected: SequenceNumber::new(expected),
        actual: SequenceNumber::new(actual),
    })
}

fn at(offset: u64) -> Outcome {
    Outcome::Committed {
        position: Offset::new(offset),
    }
}

/// A member behind its entity is refused; its neighbours commit, without a gap in the offsets.
pub(super) async fn b3_stale_member_is_refused_alone(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let first = trial.next(&cart("b")).events(3).done();
    trial.commit(vec![first]).await;
    let members = vec![
        Draft::new(&cart("a"), 0).events(2).done(),
        Draft::new(&cart("b"), 2)
            .events(1)
            .snapshot()
            .record("k")
            .done(),
        Draft::new(&cart("c"), 0).events(1).done(),
    ];
    let outcomes = trial.commit(members).await;
    same(&outcomes, &[at(5), stale(2, 3), at(6)], "outcomes");
    trial.check().await;
}

/// A member ahead of its entity is refused just the same.
pub(super) async fn b3_member_ahead_is_refused_alone(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let members = vec![
        Draft::new(&cart("a"), 0).events(2).done(),
        Draft::new(&cart("b"), 1).events(1).done(),
        Draft::new(&cart("a"), 3).events(1).done(),
        Draft::new(&cart("c"), u64::MAX >> 1).record("k").done(),
        Draft::new(&cart("d"), 0).events(1).done(),
    ];
    let outcomes = trial.commit(members).await;
    let expected = [
        at(2),
        stale(1, 0),
        stale(3, 2),
        stale(u64::MAX >> 1, 0),
        at(3),
    ];
    same(&outcomes, &expected, "outcomes");
    trial.check().await;
}

/// A refused first, last or only member changes nothing for the others.
pub(super) async fn b3_refusals_at_both_ends(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let wrong = |id: &str| Draft::new(&cart(id), 9).events(1).done();
    let outcomes = trial.commit(vec![wrong("a")]).await;
    same(&outcomes, &[stale(9, 0)], "outcomes");
    let right = Draft::new(&cart("b"), 0).events(1).done();
    let outcomes = trial.commit(vec![wrong("a"), right, wrong("c")]).await;
    same(&outcomes, &[stale(9, 0), at(1), stale(9, 0)], "outcomes");
    trial.check().await;
}

/// A hundred entities, one of them in conflict: ninety-nine commit, in their order.
pub(super) async fn b3_one_conflict_among_a_hundred_costs_one(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    for stale in [0, 57, 99] {
        let members = (0..100).map(|number| {
            let draft = trial.next(&cart(&number.to_string()));
            if number == stale {
                Draft::new(&cart(&number.to_string()), 1_000)
                    .events(2)
                    .done()
            } else {
                draft.events(2).record("k").done()
            }
        });
        let outcomes = trial.commit(members.collect()).await;
        let refused = |outcome: &&Outcome| matches!(outcome, Outcome::Refused(_));
        assert_eq!(outcomes.iter().filter(refused).count(), 1);
        trial.check().await;
    }
}

/// Members of one entity are judged in their order: each sees those before it.
pub(super) async fn b3_members_of_one_entity_are_judged_in_order(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    let members = vec![
        Draft::new(&a, 0).events(2).done(),
        Draft::new(&a, 2).record("k").done(),
        Draft::new(&cart("b"), 0).events(1).done(),
        Draft::new(&a, 2).events(1).snapshot().done(),
        Draft::new(&a, 3).done(),
        Draft::new(&a, 3).events(1).done(),
        Draft::new(&a, 3).events(1).done(),
    ];
    let outcomes = trial.commit(members).await;
    let expected = [at(2), at(3), at(4), at(5), at(5), at(6), stale(3, 4)];
    same(&outcomes, &expected, "outcomes");
    trial.check().await;
}

/// What comes after a refused member of its entity is refused too, even where its number fits: it
/// was decided on a state that never came to be. The next batch starts afresh.
pub(super) async fn b3_members_after_a_refused_one_are_refused(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    let first = Draft::new(&a, 0).events(2).done();
    trial.commit(vec![first]).await;
    let overtaken = Outcome::Refused(Refusal::Overtaken);
    for wrong in [1, 3] {
        let before = trial.model.entries.len() as u64;
        let members = vec![
            Draft::new(&a, wrong).events(2).done(),
            Draft::new(&a, wrong + 2)
                .events(1)
                .snapshot()
                .record("k")
                .done(),
            Draft::new(&a, 2).events(1).snapshot().record("k").done(),
            trial.next(&cart("b")).events(1).done(),
            Draft::new(&a, 2).record("k").done(),
            Draft::new(&a, 2).done(),
        ];
        let outcomes = trial.commit(members).await;
        let neighbour = at(before + 1);
        let expected = [
            stale(wrong, 2),
            overtaken,
            overtaken,
            neighbour,
            overtaken,
            overtaken,
        ];
        same(&outcomes, &expected, "outcomes");
        trial.check().await;
    }
    let again = Draft::new(&a, 2).events(1).done();
    let outcomes = trial.commit(vec![again]).await;
    same(&outcomes, &[at(5)], "outcomes of the next batch");
    trial.check().await;
}

/// Every member is checked, also one that holds no event or nothing at all.
pub(super) async fn b3_members_without_events_are_checked_too(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    let first = trial.next(&a).events(2).done();
    trial.commit(vec![first]).await;
    for wrong in [0, 1, 3] {
        for member in [
            Draft::new(&a, wrong).record("k"),
            Draft::new(&a, wrong).skip(1),
            Draft::new(&a, wrong),
        ] {
            let outcomes = trial.commit(vec![member.done()]).await;
            same(&outcomes, &[stale(wrong, 2)], "outcomes");
        }
    }
    trial.check().await;
}

/// A batch that is committed again, because its first outcome got lost, is not applied twice.
pub(super) async fn b3_batch_sent_twice_is_applied_once(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let members: Vec<Member> = ["a", "b", "c"]
        .iter()
        .map(|id| trial.next(&cart(id)).events(2).record("k").done())
        .collect();
    trial.commit(members.clone()).await;
    let outcomes = trial.commit(members).await;
    same(
        &outcomes,
        &[stale(0, 2), stale(0, 2), stale(0, 2)],
        "outcomes",
    );
    trial.check().await;
}

/// A record or a skip does not advance the sequence number.
pub(super) async fn b3_only_events_advance_the_sequence_number(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    for member in [
        Draft::new(&a, 0).record("k1"),
        Draft::new(&a, 0).record("k2"),
        Draft::new(&a, 0).events(1).record("k3"),
        Draft::new(&a, 1).skip(1),
        Draft::new(&a, 1).record("k4").skip(1),
        Draft::new(&a, 1).events(1),
    ] {
        let outcomes = trial.commit(vec![member.done()]).await;
        assert!(matches!(outcomes.first(), Some(Outcome::Committed { .. })));
    }
    trial.check().await;
}

/// The same id under two types names two entities.
pub(super) async fn b3_same_id_under_two_types_is_two_entities(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    // The last two pairs are equal once type and id are joined.
    let pairs = [
        ("cart", "x"),
        ("user", "x"),
        ("ca", "rtx"),
        ("c", "artx"),
        ("cart/", "x"),
    ];
    let ids: Vec<_> = pairs
        .iter()
        .map(|(t, id)| PersistenceId::new(*t, *id))
        .collect();
    for events in 1..=3 {
        let members = ids.iter().map(|id| trial.next(id).events(events).done());
        let members = members.collect();
        trial.commit(members).await;
    }
    trial.check().await;
}
