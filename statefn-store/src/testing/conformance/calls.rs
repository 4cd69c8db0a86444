//! What a store must answer of stored calls, worked out the plainest way: lists, searched whole.

use crate::{
    DeadLetter, Deferred, Effect, Member, Offset, OutboxNumber, Settled, Tending, Timer,
    TimerChange,
};

/// The stored calls as they must be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Calls {
    pub(super) effects: Vec<Effect>,
    pub(super) dead: Vec<DeadLetter>,
    /// In the order of their numbers.
    timers: Vec<Timer>,
}

impl Calls {
    /// Whether a member that answers this call may be stored.
    pub(super) fn has(&self, call: &Settled) -> bool {
        match call {
            Settled::Effect(number) => self.effects.iter().any(|e| e.number == *number),
            Settled::Timer { number, due, .. } => {
                let mut timers = self.timers.iter();
                timers.any(|t| t.number == *number && t.due == *due)
            }
        }
    }

    /// Applies what a member says of calls.
    pub(super) fn append(&mut self, member: &Member, deferred: &Deferred, position: Offset) {
        if let Some(call) = &deferred.settles {
            self.settle(call);
        }
        let mut index = 0;
        for call in &deferred.effects {
            self.effects.push(Effect {
                number: OutboxNumber::of(position, index),
                sender: member.id.clone(),
                time: member.time,
                call: call.clone(),
            });
            index += 1;
        }
        for change in &deferred.timers {
            let own = |timer: &Timer| timer.owner == member.id;
            match change {
                TimerChange::Set(timer) => {
                    self.timers.retain(|t| !own(t) || t.name != timer.name);
                    self.timers.push(Timer {
                        number: OutboxNumber::of(position, index),
                        owner: member.id.clone(),
                        name: timer.name.clone(),
                        due: timer.due,
                        wake: timer.due,
                        schedule: timer.schedule.clone(),
                        call: timer.call.clone(),
                    });
                }
                TimerChange::Cancel { name } => self.timers.retain(|t| !own(t) || t.name != *name),
                TimerChange::CancelAll => self.timers.retain(|t| !own(t)),
            }
            index += 1;
        }
    }

    fn settle(&mut self, call: &Settled) {
        match call {
            Settled::Effect(number) => self.effects.retain(|e| e.number != *number),
            Settled::Timer { number, next, .. } => {
                for timer in self.timers.iter_mut().filter(|t| t.number == *number) {
                    timer.due = next.unwrap_or(timer.due);
                    timer.wake = timer.due;
                }
                if next.is_none() {
                    self.timers.retain(|t| t.number != *number);
                }
            }
        }
    }

    /// Applies a change outside a command.
    pub(super) fn tend(&mut self, change: &Tending) -> bool {
        match change {
            Tending::Bury {
                call,
                reason,
                attempts,
            } => {
                let Some(effect) = self.effect_of(call) else {
                    return false;
                };
                self.dead.retain(|d| d.effect.number != effect.number);
                self.dead.push(DeadLetter {
                    effect,
                    reason: reason.clone(),
                    attempts: *attempts,
                });
                self.dead.sort_by_key(|letter| letter.effect.number);
                self.settle(call);
                true
            }
            Tending::Pass(call) => {
                let has = self.has(call);
                if has {
                    self.settle(call);
                }
                has
            }
            Tending::Postpone { number, due, wake } => {
                let mut timers = self.timers.iter_mut();
                let timer = timers.find(|t| t.number == *number && t.due == *due);
                let Some(timer) = timer else { return false };
                timer.wake = *wake;
                true
            }
            Tending::Retry(number) => {
                let letter = self.dead.iter().find(|d| d.effect.number == *number);
                let Some(letter) = letter.cloned() else {
                    return false;
                };
                self.dead.retain(|d| d.effect.number != *number);
                self.effects.push(letter.effect);
                self.effects.sort_by_key(|effect| effect.number);
                true
            }
            Tending::Drop(number) => {
                let before = self.dead.len();
                self.dead.retain(|d| d.effect.number != *number);
                self.dead.len() < before
            }
        }
    }

    fn effect_of(&self, call: &Settled) -> Option<Effect> {
        if !self.has(call) {
            return None;
        }
        let number = call.number();
        if matches!(call, Settled::Effect(_)) {
            let mut effects = self.effects.iter();
            return effects.find(|e| e.number == number).cloned();
        }
        let timer = self.timers.iter().find(|t| t.number == number)?;
        Some(Effect {
            number,
            sender: timer.owner.clone(),
            time: timer.due,
            call: timer.call.clone(),
        })
    }

    /// The timers by the time to wake.
    pub(super) fn timers(&self) -> Vec<Timer> {
        let mut timers = self.timers.clone();
        timers.sort_by_key(|timer| (timer.wake, timer.number));
        timers
    }
}
