//! B12: stored calls come with their member, leave with the one that answers them, and in no other
//! way.

use super::draft::{Draft, call, cart, timer};
use super::trial::{Trial, same};
use crate::testing::Fixture;
use crate::{
    CommitError, Effect, EntryBody, Member, Offset, OutboxNumber, Outcome, PersistenceId, Refusal,
    Settled, Tending, TimerChange, Timestamp,
};

fn number(offset: u64, index: u16) -> OutboxNumber {
    OutboxNumber::of(Offset::new(offset), index)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn firing(offset: u64, due: i64, next: Option<i64>) -> Settled {
    Settled::Timer {
        number: number(offset, 0),
        due: at(due),
        next: next.map(at),
    }
}

/// A sender at sequence number 1, with two effects, at offset 1.
async fn two_effects(fixture: &dyn Fixture) -> Trial<'_> {
    let mut trial = Trial::open(fixture).await;
    let member = Draft::new(&cart("sender"), 0).events(1).effects(2).done();
    trial.commit(vec![member]).await;
    trial
}

/// Effects of many senders, with every field, in pages by number.
pub(super) async fn b12_effects_come_back_in_order(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let members: Vec<Member> = (0..20)
        .map(|index| {
            let sender = cart(&format!("sender {}", 20 - index));
            Draft::new(&sender, 0).events(index % 3).effects(3).done()
        })
        .collect();
    trial.commit(members).await;
    let mut odd = Draft::new(&PersistenceId::new("a\0b", "c\0d"), 0).done();
    let mut strange = call(&PersistenceId::new("t\0", "\u{fffd}\0"), 255);
    strange.arguments = Vec::new();
    strange.metadata = vec![0; 1_000];
    strange.hops = u16::MAX;
    strange.command = "c\0\u{1f980}".into();
    odd.deferred = Some(Box::default());
    if let Some(deferred) = &mut odd.deferred {
        deferred.effects.push(strange);
    }
    trial.commit(vec![odd]).await;
    trial.check().await;
    let mut seen: Vec<Effect> = Vec::new();
    loop {
        let after = seen.last().map_or(OutboxNumber::ZERO, |e| e.number);
        let page = trial.store.effects(after, 7).await;
        let Ok(page) = page else {
            panic!("effects cannot be read: {page:?}");
        };
        assert!(page.len() <= 7, "a page of {}", page.len());
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    same(&seen, &trial.model.calls.effects, "the effects in pages");
}

/// A member that only sends, or only changes timers, shows in the journal; one that only settles
/// does not.
pub(super) async fn b12_what_only_sends_gets_an_entry(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let (a, b) = (cart("a"), cart("b"));
    let members = vec![
        Draft::new(&a, 0).effects(1).done(),
        Draft::new(&a, 0).record("k").effects(1).done(),
        Draft::new(&b, 0)
            .change(TimerChange::Cancel {
                name: "never set".to_owned(),
            })
            .done(),
        Draft::new(&b, 0)
            .settles(Settled::Effect(number(1, 0)))
            .done(),
        Draft::new(&b, 0).events(1).effects(1).done(),
    ];
    trial.commit(members).await;
    let entries = trial.read_all(1).await;
    let sent: Vec<bool> = entries
        .iter()
        .map(|entry| entry.body == EntryBody::Sent)
        .collect();
    assert_eq!(sent, [true, false, true, false]);
    trial.check().await;
}

/// An effect leaves the outbox with the member that answers it, once.
pub(super) async fn b12_effect_is_settled_once(fixture: &dyn Fixture) {
    let mut trial = two_effects(fixture).await;
    let first = Settled::Effect(number(1, 0));
    let answer = |expected| {
        let draft = Draft::new(&cart("target"), expected).events(1);
        draft.settles(first).done()
    };
    let outcomes = trial.commit(vec![answer(0)]).await;
    assert!(matches!(*outcomes, [Outcome::Committed { .. }]));
    trial.check().await;
    let outcomes = trial.commit(vec![answer(1)]).await;
    assert_eq!(outcomes, [Outcome::Refused(Refusal::Settled)]);
    // Twice in one batch, by two entities.
    let second = Settled::Effect(number(1, 1));
    let answer = |id| Draft::new(&cart(id), 0).events(1).settles(second).done();
    trial.commit(vec![answer("b"), answer("c")]).await;
    trial.check().await;
}

/// A member that answers what is gone is refused whole, as a stale one is; sequence first.
pub(super) async fn b12_answer_to_what_is_gone_is_refused_alone(fixture: &dyn Fixture) {
    let mut trial = two_effects(fixture).await;
    let gone = Settled::Effect(number(7, 0));
    let target = cart("target");
    let members = vec![
        Draft::new(&cart("a"), 0).events(1).done(),
        Draft::new(&target, 0)
            .events(2)
            .record("k")
            .snapshot()
            .effects(1)
            .settles(gone)
            .done(),
        Draft::new(&target, 0).events(1).done(),
        Draft::new(&cart("b"), 0).events(1).done(),
        Draft::new(&cart("stale"), 9).settles(gone).done(),
    ];
    let outcomes = trial.commit(members).await;
    let refused = |index: usize| match outcomes.get(index) {
        Some(Outcome::Refused(refusal)) => Some(*refusal),
        _ => None,
    };
    assert_eq!((refused(0), refused(3)), (None, None));
    assert_eq!(refused(1), Some(Refusal::Settled));
    assert_eq!(refused(2), Some(Refusal::Overtaken));
    assert!(matches!(refused(4), Some(Refusal::Stale { .. })));
    trial.check().await;
}

/// A refused member sends nothing, sets no timer, and settles nothing.
pub(super) async fn b12_refused_member_sends_nothing(fixture: &dyn Fixture) {
    let mut trial = two_effects(fixture).await;
    let draft = Draft::new(&cart("sender"), 5).events(1).effects(2);
    let draft = draft.change(TimerChange::Set(timer("t", 5)));
    let refused = draft.settles(Settled::Effect(number(1, 0))).done();
    trial.commit(vec![refused]).await;
    trial.check().await;
}

/// Timers come by the time at which they wake; a name belongs to its entity.
pub(super) async fn b12_timers_come_by_their_time(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let (a, b) = (cart("a"), cart("b"));
    let set = |name, due| TimerChange::Set(timer(name, due));
    let first = Draft::new(&a, 0).change(set("t", 50)).change(set("u", -3));
    let members = vec![
        first.change(set("v", i64::MAX)).done(),
        Draft::new(&b, 0).change(set("t", 10)).effects(1).done(),
    ];
    trial.commit(members).await;
    trial.check().await;
    for (until, count) in [(-4, 0), (-3, 1), (49, 2), (50, 3), (i64::MAX, 4)] {
        let timers = trial.store.timers(at(until), 10).await;
        let due = timers.map(|timers| timers.len());
        assert!(
            matches!(due, Ok(found) if found == count),
            "{until}: {due:?}"
        );
    }
    // Set again: another number, in place of the first.
    let member = Draft::new(&a, 0).change(set("t", 5)).change(set("t", 7));
    trial.commit(vec![member.done()]).await;
    trial.check().await;
    let name = "t".to_owned();
    let member = Draft::new(&a, 0).change(TimerChange::Cancel { name });
    trial.commit(vec![member.done()]).await;
    trial.check().await;
    let member = Draft::new(&a, 0).change(TimerChange::CancelAll);
    trial.commit(vec![member.change(set("w", 9)).done()]).await;
    trial.check().await;
}

/// A firing is answered under the time at which it was due, once; the timer goes on or ends.
pub(super) async fn b12_firing_is_named_by_its_time(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let member = Draft::new(&cart("a"), 0).change(TimerChange::Set(timer("t", 10)));
    trial.commit(vec![member.done()]).await;
    let mut sequence = 0;
    for (due, next, applies) in [
        (9, None, false),
        (10, Some(20), true),
        (10, Some(20), false),
        (20, None, true),
        (20, None, false),
    ] {
        let member = Draft::new(&cart("target"), sequence).events(1);
        let member = member.settles(firing(1, due, next)).done();
        let outcomes = trial.commit(vec![member]).await;
        let applied = matches!(*outcomes, [Outcome::Committed { .. }]);
        assert_eq!(applied, applies, "the firing due at {due}");
        sequence += u64::from(applied);
        trial.check().await;
    }
}

/// What is buried waits for an operator: it cannot be answered, and comes back under its number.
pub(super) async fn b12_dead_letters_wait_for_an_operator(fixture: &dyn Fixture) {
    let mut trial = two_effects(fixture).await;
    let bury = |index| Tending::Bury {
        call: Settled::Effect(number(1, index)),
        reason: "no\0body".to_owned(),
        attempts: 7,
    };
    let unknown = number(3, 3);
    trial.tend(vec![bury(0), bury(1), bury(1)]).await;
    trial.check().await;
    let answer = |expected| {
        let draft = Draft::new(&cart("target"), expected).events(1);
        draft.settles(Settled::Effect(number(1, 0))).done()
    };
    let outcomes = trial.commit(vec![answer(0)]).await;
    assert_eq!(outcomes, [Outcome::Refused(Refusal::Settled)]);
    let changes = vec![
        Tending::Retry(number(1, 0)),
        Tending::Retry(number(1, 0)),
        Tending::Drop(number(1, 1)),
        Tending::Drop(number(1, 0)),
        Tending::Drop(unknown),
        Tending::Retry(unknown),
        Tending::Pass(Settled::Effect(unknown)),
    ];
    trial.tend(changes).await;
    trial.check().await;
    let outcomes = trial.commit(vec![answer(0)]).await;
    assert!(matches!(*outcomes, [Outcome::Committed { .. }]));
    trial.check().await;
}

/// A timer goes on after a firing that was buried or passed over, and waits when it is postponed.
pub(super) async fn b12_timers_are_tended(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let member = Draft::new(&cart("a"), 0).change(TimerChange::Set(timer("t", 10)));
    trial.commit(vec![member.done()]).await;
    let bury = |due, next| Tending::Bury {
        call: firing(1, due, next),
        reason: format!("the firing at {due}"),
        attempts: 3,
    };
    let postpone = |due, wake| Tending::Postpone {
        number: number(1, 0),
        due: at(due),
        wake: at(wake),
    };
    for change in [
        postpone(11, 99),
        postpone(10, 99),
        bury(10, Some(20)),
        bury(10, Some(20)),
        Tending::Pass(firing(1, 20, Some(30))),
        bury(30, None),
        postpone(30, 99),
    ] {
        trial.tend(vec![change]).await;
        trial.check().await;
    }
}

/// Changes by an earlier owner are refused whole.
pub(super) async fn b12_tending_is_fenced(fixture: &dyn Fixture) {
    let trial = two_effects(fixture).await;
    let earlier = trial.epoch;
    let current = super::trial::claim(&*trial.store).await;
    let bury = Tending::Bury {
        call: Settled::Effect(number(1, 0)),
        reason: "late".to_owned(),
        attempts: 1,
    };
    let tended = trial.store.tend(earlier, vec![bury]).await;
    assert!(
        matches!(&tended, Err(CommitError::Fenced { held, current: now })
            if *held == earlier && *now == current),
        "{tended:?}"
    );
    trial.check().await;
}

/// A sender with effects, a dead letter and timers.
async fn filled(fixture: &dyn Fixture) -> Trial<'_> {
    let mut trial = two_effects(fixture).await;
    let set = |name, due| TimerChange::Set(timer(name, due));
    let member = Draft::new(&cart("a"), 0).change(set("t", 5));
    trial.commit(vec![member.change(set("u", 6)).done()]).await;
    let bury = Tending::Bury {
        call: Settled::Effect(number(1, 1)),
        reason: "nobody".to_owned(),
        attempts: 2,
    };
    let postpone = Tending::Postpone {
        number: number(2, 1),
        due: at(6),
        wake: at(7),
    };
    trial.tend(vec![bury, postpone]).await;
    trial
}

/// Stored calls are there after a close; numbers go on.
pub(super) async fn b12_stored_calls_survive_a_close(fixture: &dyn Fixture) {
    let mut trial = filled(fixture).await;
    trial.reopen().await;
    trial.check().await;
    let member = trial.next(&cart("a")).effects(1).done();
    trial.commit(vec![member]).await;
    trial.check().await;
}

/// Stored calls are there after a crash, and what was settled is not.
pub(super) async fn b12_stored_calls_survive_a_crash(fixture: &dyn Fixture) {
    let mut trial = filled(fixture).await;
    let answer = Draft::new(&cart("target"), 0).settles(Settled::Effect(number(1, 0)));
    trial.commit(vec![answer.done()]).await;
    fixture.crash();
    trial.open_again().await;
    trial.check().await;
}
