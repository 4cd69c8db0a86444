//! B2: a member is stored whole or not at all.

use super::draft::{Draft, cart};
use super::trial::{Trial, same};
use crate::testing::Fixture;
use crate::{Member, Offset, Outcome};

/// Every combination of what a member may hold, for an entity that has two events.
fn shapes(id: &crate::PersistenceId, expected: u64) -> Vec<Draft> {
    let mut shapes = Vec::new();
    for events in [0, 1, 3] {
        for (snapshot, record, skip) in [
            (false, false, false),
            (false, false, true),
            (false, true, false),
            (false, true, true),
            (true, false, false),
            (true, false, true),
            (true, true, false),
            (true, true, true),
        ] {
            if snapshot && events == 0 {
                continue;
            }
            let mut draft = Draft::new(id, expected).events(events);
            if snapshot {
                draft = draft.snapshot();
            }
            if record {
                draft = draft.record(&format!("key-{}", shapes.len()));
            }
            if skip {
                draft = draft.skip(1);
            }
            shapes.push(draft);
        }
    }
    for events in [0, 2] {
        let draft = || Draft::new(id, expected).events(events);
        shapes.extend([
            draft().state(),
            draft().state().record("state"),
            draft().delete().skip(1),
            draft().delete().record("delete"),
        ]);
    }
    shapes
}

/// Members of every shape, each in a batch of its own and to an entity of its own.
pub(super) async fn b2_member_of_every_shape_alone(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    for number in 0..shapes(&cart("a"), 2).len() {
        let id = cart(&format!("entity {number}"));
        let first = trial.next(&id).events(2).done();
        trial.commit(vec![first]).await;
        let shape = shapes(&id, 2).swap_remove(number).done();
        trial.commit(vec![shape]).await;
        trial.check_entity(&id).await;
    }
    trial.check().await;
}

/// Members of every shape in one batch, all for one entity.
pub(super) async fn b2_members_of_every_shape_in_one_batch(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    let mut members = vec![Draft::new(&a, 0).events(2).done()];
    for number in 0..shapes(&a, 2).len() {
        let expected = members.last().map_or(0, |m| m.last_sequence().get());
        members.push(shapes(&a, expected).swap_remove(number).done());
    }
    trial.commit(members).await;
    trial.check().await;
}

/// Members of every shape, refused: nothing of them is there.
pub(super) async fn b2_refused_member_leaves_nothing(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let (a, b) = (cart("a"), cart("b"));
    let first = trial.next(&a).events(2).snapshot().record("key-0").done();
    trial.commit(vec![first]).await;
    let wrong = shapes(&a, 1).into_iter().chain(shapes(&b, 2));
    let members: Vec<Member> = wrong.map(Draft::done).collect();
    let alone = members.iter().map(|member| vec![member.clone()]);
    for batch in alone.chain([members.clone()]) {
        let outcomes = trial.commit(batch).await;
        let refused = outcomes.iter().all(|o| matches!(o, Outcome::Refused(_)));
        assert!(refused, "all members are stale: {outcomes:?}");
    }
    trial.check().await;
}

/// A member that holds nothing writes nothing and answers where its entity is.
pub(super) async fn b2_empty_member_writes_nothing(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let members = vec![
        Draft::new(&cart("new"), 0).done(),
        Draft::new(&cart("a"), 0).events(2).done(),
        Draft::new(&cart("b"), 0).events(1).done(),
        Draft::new(&cart("a"), 2).done(),
    ];
    let outcomes = trial.commit(members).await;
    let expected = [0, 2, 3, 2].map(|offset| Outcome::Committed {
        position: Offset::new(offset),
    });
    same(&outcomes, &expected, "outcomes");
    trial.check().await;
}

/// A batch without members is answered without outcomes.
pub(super) async fn b2_empty_batch_has_no_outcomes(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let outcomes = trial.commit(Vec::new()).await;
    same(&outcomes, &[], "outcomes");
    trial.check().await;
}

/// A batch of 1,024 members, of many entities, some of them stale.
pub(super) async fn b2_batch_of_1024_members(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let members = (0..1_024_u64).map(|number| {
        let id = cart(&format!("entity {}", number % 100));
        // Each hundredth batch of entities comes again; every seventh member is ahead.
        let expected = number / 100 + u64::from(number % 7 == 3 && number > 900);
        Draft::new(&id, expected).events(1).done()
    });
    let outcomes = trial.commit(members.collect()).await;
    let refused = outcomes.iter().filter(|o| matches!(o, Outcome::Refused(_)));
    let refused = refused.count();
    assert!(
        (10..200).contains(&refused),
        "{refused} members were refused"
    );
    trial.check().await;
}

/// A member of 1,000 events is one member.
pub(super) async fn b2_member_of_1000_events(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    let members = vec![
        Draft::new(&a, 0)
            .events(1_000)
            .snapshot()
            .record("k")
            .done(),
        Draft::new(&a, 999).events(1_000).done(),
        Draft::new(&a, 1_000).events(1).done(),
    ];
    trial.commit(members).await;
    trial.check().await;
}
