//! Makes effects and timers, and answers those that are there.

use std::collections::BTreeSet;

use statefn_store::{
    Deferred, NewTimer, OutboxNumber, PersistenceId, Settled, StoredCall, StoredCalls, Tending,
    TimerChange, Timestamp,
};

use crate::random::Random;
use crate::waiting::END;

/// Makes what members defer, and answers each stored call once.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    calls: StoredCalls,
    answered: BTreeSet<OutboxNumber>,
    /// Whose timers are not what they were.
    changed: BTreeSet<PersistenceId>,
}

impl Caller {
    /// From here on members are under way together: they know the calls that there were before.
    pub fn begin(&mut self, calls: StoredCalls) {
        *self = Self {
            calls,
            ..Self::default()
        };
    }

    /// What a member of this entity defers, if anything.
    pub fn deferred(
        &mut self,
        id: &PersistenceId,
        target: &PersistenceId,
        deletes: bool,
        random: &mut Random,
    ) -> Option<Deferred> {
        let mut deferred = Deferred::default();
        if random.percent(20) {
            let count = 1 + random.below(3);
            deferred.effects = (0..count).map(|_| call(target, random)).collect();
        }
        if random.percent(12) {
            deferred.timers.push(timer(target, random));
        }
        if deletes {
            deferred.timers.insert(0, TimerChange::CancelAll);
        }
        if random.percent(35) {
            deferred.settles = self.answer(random);
        }
        if !deferred.timers.is_empty() {
            self.changed.insert(id.clone());
        }
        (deferred != Deferred::default()).then_some(deferred)
    }

    /// A stored call that nobody has answered.
    fn answer(&mut self, random: &mut Random) -> Option<Settled> {
        let open = open(&self.calls);
        let settled = *open.get(random.index(open.len().max(1)))?;
        if let Settled::Timer { number, .. } = settled {
            let timers = self.calls.timers(END, usize::MAX);
            let timer = timers.iter().find(|timer| timer.number == number)?;
            if self.changed.contains(&timer.owner) {
                return None;
            }
        }
        let is_first = self.answered.insert(settled.number());
        let settled = match settled {
            Settled::Timer { number, due, .. } => Settled::Timer {
                number,
                due,
                next: random.percent(50).then(|| time(random)),
            },
            effect @ Settled::Effect(_) => effect,
        };
        is_first.then_some(settled)
    }
}

/// Changes outside a command: of what is there, and of what is not.
pub fn changes(calls: &StoredCalls, random: &mut Random) -> Vec<Tending> {
    let count = random.below(4);
    (0..count).filter_map(|_| change(calls, random)).collect()
}

fn change(calls: &StoredCalls, random: &mut Random) -> Option<Tending> {
    let dead = calls.dead_letters(OutboxNumber::ZERO, usize::MAX);
    if !dead.is_empty() && random.percent(40) {
        let number = dead[random.index(dead.len())].effect.number;
        return Some(if random.percent(60) {
            Tending::Retry(number)
        } else {
            Tending::Drop(number)
        });
    }
    let open = open(calls);
    let call = *open.get(random.index(open.len().max(1)))?;
    Some(match (random.below(3), call) {
        (0, Settled::Timer { number, due, .. }) => Tending::Postpone {
            number,
            due,
            wake: time(random),
        },
        (1, _) => Tending::Pass(call),
        _ => Tending::Bury {
            call,
            reason: "nobody is there".to_owned(),
            attempts: 12,
        },
    })
}

/// Every effect, and every timer as if it ended.
fn open(calls: &StoredCalls) -> Vec<Settled> {
    let effects = calls.effects(OutboxNumber::ZERO, usize::MAX);
    let effects = effects.iter().map(|effect| Settled::Effect(effect.number));
    let timers = calls.timers(END, usize::MAX);
    let timers = timers.iter().map(|timer| Settled::Timer {
        number: timer.number,
        due: timer.due,
        next: None,
    });
    effects.chain(timers).collect()
}

fn timer(target: &PersistenceId, random: &mut Random) -> TimerChange {
    let name = format!("timer {}", random.below(3));
    if random.percent(25) {
        return TimerChange::Cancel { name };
    }
    let length = random.index(20);
    TimerChange::Set(NewTimer {
        name,
        due: time(random),
        schedule: random.bytes(length),
        call: call(target, random),
    })
}

fn time(random: &mut Random) -> Timestamp {
    Timestamp::from_millis(i64::try_from(random.below(1_000)).unwrap_or(0))
}

fn call(target: &PersistenceId, random: &mut Random) -> StoredCall {
    let length = match random.below(12) {
        0 => 3_000 + random.index(5_000),
        _ => random.index(90),
    };
    StoredCall {
        target: target.clone(),
        command: "take".into(),
        codec: 0,
        arguments: random.bytes(length),
        metadata: Vec::new(),
        hops: 1,
    }
}
