//! Effects, dead letters and timers in memory: for the in-memory backend, and for others that keep
//! them there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::{
    DeadLetter, Deferred, Effect, Offset, OutboxNumber, PersistenceId, Settled, Tending, Timer,
    TimerChange, Timestamp,
};

/// All stored calls of a store, with what clause B12 of [`Store`](crate::Store) says about them.
///
/// Clones are copies. Every change takes time by the logarithm of how many there are.
///
/// ```
/// use statefn_store::{Deferred, Offset, OutboxNumber, PersistenceId, Settled, StoredCall};
/// use statefn_store::{StoredCalls, Timestamp};
///
/// let (alice, bob) = (PersistenceId::new("account", "alice"), PersistenceId::new("account", "bob"));
/// let call = StoredCall {
///     target: bob.clone(),
///     command: "deposit".into(),
///     codec: 1,
///     arguments: vec![5],
///     metadata: Vec::new(),
///     hops: 1,
/// };
/// let mut calls = StoredCalls::default();
/// let sent = Deferred { effects: vec![call], ..Deferred::default() };
/// calls.append(sent, &alice, Timestamp::from_millis(0), Offset::new(1));
/// let effect = Settled::Effect(OutboxNumber::of(Offset::new(1), 0));
/// assert!(calls.has(&effect));
///
/// let answered = Deferred { settles: Some(effect), ..Deferred::default() };
/// calls.append(answered, &bob, Timestamp::from_millis(0), Offset::new(2));
/// assert!(!calls.has(&effect));
/// ```
#[derive(Clone, Debug, Default)]
pub struct StoredCalls {
    effects: BTreeMap<OutboxNumber, Effect>,
    dead: BTreeMap<OutboxNumber, DeadLetter>,
    timers: BTreeMap<OutboxNumber, Timer>,
    names: BTreeMap<(PersistenceId, String), OutboxNumber>,
    wakes: BTreeSet<(Timestamp, OutboxNumber)>,
}

impl StoredCalls {
    /// Whether a member that answers this call may be stored.
    pub fn has(&self, call: &Settled) -> bool {
        match call {
            Settled::Effect(number) => self.effects.contains_key(number),
            Settled::Timer { number, due, .. } => {
                self.timers.get(number).is_some_and(|t| t.due == *due)
            }
        }
    }

    /// Stores what a member says of calls; its last entry is at `position`.
    pub fn append(
        &mut self,
        deferred: Deferred,
        sender: &PersistenceId,
        time: Timestamp,
        position: Offset,
    ) {
        if let Some(settled) = &deferred.settles {
            self.settle(settled);
        }
        let mut index = 0;
        for call in deferred.effects {
            let number = OutboxNumber::of(position, index);
            let sender = sender.clone();
            let effect = Effect {
                number,
                sender,
                time,
                call,
            };
            self.effects.insert(number, effect);
            index = index.saturating_add(1);
        }
        for change in deferred.timers {
            self.change(change, sender, OutboxNumber::of(position, index));
            index = index.saturating_add(1);
        }
    }

    fn change(&mut self, change: TimerChange, owner: &PersistenceId, number: OutboxNumber) {
        match change {
            TimerChange::Set(timer) => {
                self.cancel(owner, &timer.name);
                let owner = owner.clone();
                self.names
                    .insert((owner.clone(), timer.name.clone()), number);
                self.wakes.insert((timer.due, number));
                let timer = Timer {
                    number,
                    owner,
                    name: timer.name,
                    due: timer.due,
                    wake: timer.due,
                    schedule: timer.schedule,
                    call: timer.call,
                };
                self.timers.insert(number, timer);
            }
            TimerChange::Cancel { name } => self.cancel(owner, &name),
            TimerChange::CancelAll => {
                let from = (owner.clone(), String::new());
                let names = self.names.range(from..).map(|(name, _)| name.clone());
                let own: Vec<_> = names.take_while(|(of, _)| of == owner).collect();
                for (_, name) in own {
                    self.cancel(owner, &name);
                }
            }
        }
    }

    fn cancel(&mut self, owner: &PersistenceId, name: &str) {
        if let Some(number) = self.names.get(&(owner.clone(), name.to_owned())) {
            self.end(*number);
        }
    }

    fn end(&mut self, number: OutboxNumber) {
        if let Some(timer) = self.timers.remove(&number) {
            self.wakes.remove(&(timer.wake, number));
            self.names.remove(&(timer.owner, timer.name));
        }
    }

    fn settle(&mut self, call: &Settled) -> bool {
        if !self.has(call) {
            return false;
        }
        match call {
            Settled::Effect(number) => {
                self.effects.remove(number);
            }
            Settled::Timer {
                number,
                next: Some(next),
                ..
            } => self.wake(*number, *next, Some(*next)),
            Settled::Timer {
                number, next: None, ..
            } => self.end(*number),
        }
        true
    }

    fn wake(&mut self, number: OutboxNumber, wake: Timestamp, due: Option<Timestamp>) {
        if let Some(timer) = self.timers.get_mut(&number) {
            self.wakes.remove(&(timer.wake, number));
            self.wakes.insert((wake, number));
            timer.wake = wake;
            timer.due = due.unwrap_or(timer.due);
        }
    }

    /// One change outside a command. Whether there was something to change.
    pub fn tend(&mut self, change: Tending) -> bool {
        match change {
            Tending::Bury {
                call,
                reason,
                attempts,
            } => {
                let number = call.number();
                let effect = match &call {
                    Settled::Effect(_) => self.effects.get(&number).cloned(),
                    Settled::Timer { due, .. } => {
                        let timer = self.timers.get(&number);
                        timer.filter(|t| t.due == *due).map(|timer| Effect {
                            number,
                            sender: timer.owner.clone(),
                            time: timer.due,
                            call: timer.call.clone(),
                        })
                    }
                };
                let Some(effect) = effect else { return false };
                let letter = DeadLetter {
                    effect,
                    reason,
                    attempts,
                };
                self.dead.insert(number, letter);
                self.settle(&call)
            }
            Tending::Pass(call) => self.settle(&call),
            Tending::Postpone { number, due, wake } => {
                let waits = self.timers.get(&number).is_some_and(|t| t.due == due);
                if waits {
                    self.wake(number, wake, None);
                }
                waits
            }
            Tending::Retry(number) => match self.dead.remove(&number) {
                Some(letter) => self.effects.insert(number, letter.effect).is_none(),
                None => false,
            },
            Tending::Drop(number) => self.dead.remove(&number).is_some(),
        }
    }

    /// A page of effects.
    pub fn effects(&self, after: OutboxNumber, limit: usize) -> Vec<Effect> {
        let page = self.effects.range(above(after)).take(limit);
        page.map(|(_, effect)| effect.clone()).collect()
    }

    /// A page of dead letters.
    pub fn dead_letters(&self, after: OutboxNumber, limit: usize) -> Vec<DeadLetter> {
        let page = self.dead.range(above(after)).take(limit);
        page.map(|(_, letter)| letter.clone()).collect()
    }

    /// The first timers to look at.
    pub fn timers(&self, until: Timestamp, limit: usize) -> Vec<Timer> {
        let due = self.wakes.iter().take_while(|(wake, _)| *wake <= until);
        let timers = due.filter_map(|(_, number)| self.timers.get(number));
        timers.take(limit).cloned().collect()
    }
}

fn above(after: OutboxNumber) -> (Bound<OutboxNumber>, Bound<OutboxNumber>) {
    (Bound::Excluded(after), Bound::Unbounded)
}
