//! Calls that wait in the store: effects in the outbox, and those that could not be delivered.

use crate::{Offset, OutboxNumber, PersistenceId, StoredCall, TimerChange, Timestamp};

/// What a member does about stored calls, besides its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deferred {
    /// Calls to be made after the commit, in this order.
    pub effects: Vec<StoredCall>,
    /// Timers to be set and cancelled, in this order.
    pub timers: Vec<TimerChange>,
    /// The stored call that this member answers. Gone already: the member is refused.
    pub settles: Option<Settled>,
}

impl Deferred {
    /// Whether an entry of the journal must show that something was sent.
    pub fn sends(&self) -> bool {
        !self.effects.is_empty() || !self.timers.is_empty()
    }

    /// How many bytes the calls take, about.
    pub fn bytes(&self) -> usize {
        let timers = self.timers.iter().map(|change| match change {
            TimerChange::Set(timer) => timer.name.len() + timer.schedule.len() + timer.call.bytes(),
            TimerChange::Cancel { name } => name.len(),
            TimerChange::CancelAll => 0,
        });
        let effects = self.effects.iter().map(StoredCall::bytes);
        effects.chain(timers).sum()
    }

    /// The numbers of the effects of a member whose last entry is at `position`, in their order.
    pub fn numbers(&self, position: Offset) -> impl Iterator<Item = OutboxNumber> {
        (0..OutboxNumber::PER_MEMBER)
            .take(self.effects.len())
            .map(move |index| OutboxNumber::of(position, index))
    }
}

/// The stored call that a command answers: it leaves the store with the command's commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// An effect: it leaves the outbox.
    Effect(OutboxNumber),
    /// One firing of a timer, named by the time at which it was due.
    Timer {
        /// The timer.
        number: OutboxNumber,
        /// Which of its firings.
        due: Timestamp,
        /// When it is due next; `None` ends it.
        next: Option<Timestamp>,
    },
}

impl Settled {
    /// The number of the effect or timer.
    pub const fn number(&self) -> OutboxNumber {
        match self {
            Self::Effect(number) | Self::Timer { number, .. } => *number,
        }
    }
}

/// An effect in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Its number.
    pub number: OutboxNumber,
    /// The entity that sent it.
    pub sender: PersistenceId,
    /// When the command ran that sent it; for a timer's letter, when it was due.
    pub time: Timestamp,
    /// What is to be called.
    pub call: StoredCall,
}

/// A stored call that could not be delivered, kept for an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The call.
    pub effect: Effect,
    /// Why it could not be delivered.
    pub reason: String,
    /// How often that was tried.
    pub attempts: u32,
}

/// A change of stored calls that belongs to no command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tending {
    /// The call cannot be delivered: an effect becomes a dead letter; a firing of a timer too, in
    /// place of an earlier one of that timer, and the timer goes on.
    Bury {
        /// The call.
        call: Settled,
        /// Why.
        reason: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The call is not made: a timer passes over a firing.
    Pass(Settled),
    /// A timer is not looked at before `wake`.
    Postpone {
        /// The timer.
        number: OutboxNumber,
        /// The firing that waits.
        due: Timestamp,
        /// When to look again.
        wake: Timestamp,
    },
    /// A dead letter goes back into the outbox, under its number.
    Retry(OutboxNumber),
    /// A dead letter is given up.
    Drop(OutboxNumber),
}
