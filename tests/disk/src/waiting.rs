//! The calls that wait in a store.

use statefn_store::{DeadLetter, Effect, OutboxNumber, StoredCalls, Timer, Timestamp};

/// More than there ever are.
pub const ALL: usize = 100_000;

/// The end of time.
pub const END: Timestamp = Timestamp::from_millis(i64::MAX);

/// Everything that waits in a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Effects.
    pub effects: Vec<Effect>,
    /// Dead letters.
    pub dead: Vec<DeadLetter>,
    /// Timers.
    pub timers: Vec<Timer>,
}

impl Waiting {
    /// What a model has.
    pub fn of(model: &StoredCalls) -> Self {
        Self {
            effects: model.effects(OutboxNumber::ZERO, ALL),
            dead: model.dead_letters(OutboxNumber::ZERO, ALL),
            timers: model.timers(END, ALL),
        }
    }
}
