//! Random batches beside the model: the mixtures that nobody thinks of.

use super::draft::{Draft, cart, timer};
use super::model::Model;
use super::tape::Wish;
use super::trial::{Trial, same};
use crate::testing::{Dice, Fixture};
use crate::{
    Deferred, Member, Offset, OutboxNumber, Outcome, PersistenceId, Settled, TimerChange, Timestamp,
};

fn up_to(dice: &mut Dice, max: usize) -> usize {
    dice.index(max + 1)
}

fn id(dice: &mut Dice) -> PersistenceId {
    let entity_type = if dice.below(4) == 0 { "user" } else { "cart" };
    PersistenceId::new(entity_type, format!("id {}", dice.below(6)))
}

/// A batch's members; some of them stale, many of them of one entity.
pub(super) fn members(dice: &mut Dice, model: &Model) -> Vec<Member> {
    let mut after = model.clone();
    let mut members = Vec::new();
    let mut refused = Vec::new();
    for _ in 0..up_to(dice, 12) {
        let id = id(dice);
        let actual = after.head(&id).sequence.get();
        let expected = match dice.below(8) {
            0 => actual + 1 + dice.below(3),
            1 => actual.saturating_sub(1 + dice.below(3)),
            _ => actual,
        };
        let mut member = member(dice, &id, expected);
        member.deferred = deferred(dice, &after, &id);
        // Behind a refused member of its entity a member changes nothing.
        if !refused.contains(&id) && matches!(after.append(&member), Outcome::Refused(_)) {
            refused.push(id);
        }
        members.push(member);
    }
    members
}

fn member(dice: &mut Dice, id: &PersistenceId, expected: u64) -> Member {
    let mut draft = Draft::new(id, expected).events(up_to(dice, 4));
    match dice.below(8) {
        0 => draft = draft.state(),
        1 => draft = draft.delete(),
        _ => {}
    }
    if dice.below(3) == 0 {
        draft = draft.record(&format!("k{}", dice.below(5)));
    }
    if expected > 0 && dice.below(6) == 0 {
        draft = draft.skip(1 + dice.below(expected));
    }
    let snapshot = dice.below(3) == 0;
    let member = draft.done();
    if snapshot && !member.events.is_empty() && member.state.is_none() {
        return Draft::of(member).snapshot().done();
    }
    member
}

/// Now and then: effects, changes of timers, and the answer to a stored call that may be gone.
fn deferred(dice: &mut Dice, model: &Model, id: &PersistenceId) -> Option<Box<Deferred>> {
    if dice.below(3) != 0 {
        return None;
    }
    let mut draft = Draft::new(id, 0).effects(u8::try_from(dice.below(3)).unwrap_or(0));
    for _ in 0..dice.below(3) {
        let name = format!("t{}", dice.below(3));
        draft = draft.change(match dice.below(6) {
            0 => TimerChange::CancelAll,
            1 => TimerChange::Cancel { name },
            _ => TimerChange::Set(timer(&name, i64::try_from(dice.below(20)).unwrap_or(0))),
        });
    }
    let mut calls: Vec<Settled> = Vec::new();
    let effects = model.calls.effects.iter();
    calls.extend(effects.map(|effect| Settled::Effect(effect.number)));
    calls.extend(model.calls.timers().iter().map(|timer| Settled::Timer {
        number: timer.number,
        due: timer.due,
        next: (dice.below(2) == 0).then_some(timer.due),
    }));
    calls.push(Settled::Effect(OutboxNumber::new(dice.below(9_999))));
    if dice.below(2) == 0 {
        draft = draft.settles(calls.swap_remove(dice.index(calls.len())));
    }
    draft.done().deferred
}

/// After every one of many random batches the store answers what the model does.
pub(super) async fn b2_random_batches_match_the_model(fixture: &dyn Fixture) {
    let mut dice = Dice::new(1);
    let mut trial = Trial::open(fixture).await;
    for step in 0..150 {
        let end = trial.model.end();
        let members = members(&mut dice, &trial.model);
        let ids: Vec<_> = members.iter().map(|member| member.id.clone()).collect();
        trial.commit(members).await;
        let page = trial.read_all(end.get()).await;
        let from = usize::try_from(end.get() - 1).unwrap_or(0);
        let expected = trial.model.entries.get(from..).unwrap_or(&[]);
        same(&page, expected, &format!("the journal after step {step}"));
        if dice.below(10) == 0 {
            let millis = 999_990 + i64::try_from(dice.below(20)).unwrap_or(0);
            trial
                .erase(&id(&mut dice), Timestamp::from_millis(millis))
                .await;
        }
        for id in ids {
            trial.check_entity(&id).await;
        }
    }
    check_breaks(&mut dice, &trial).await;
    trial.check().await;
}

/// Replays that break at random places, and searches from every record on.
async fn check_breaks(dice: &mut Dice, trial: &Trial<'_>) {
    for id in trial.model.entities() {
        let wish = Wish {
            accept_snapshot: dice.below(2) == 0,
            records_max: 1 + up_to(dice, 4),
            events_max: 1 + up_to(dice, 6),
        };
        let (_, heard) = trial.load(&id, wish).await;
        same(
            &heard,
            &trial.model.replay(&id, wish),
            &format!("{id:?} under {wish:?}"),
        );
        let own = trial.model.entries.iter().filter(|entry| entry.id == id);
        let records: Vec<Offset> = own
            .filter(|entry| entry.body.record().is_some())
            .map(|entry| entry.offset)
            .collect();
        for newest in records {
            let key = format!("k{}", dice.below(5));
            let found = trial.store.find_record(&id, &key, newest).await;
            let expected = trial.model.find_record(&id, &key, newest);
            assert_eq!(found.ok(), Some(expected), "{key} of {id:?} from {newest}");
        }
    }
    let _ = trial.load(&cart("nobody"), Wish::ALL).await;
}
