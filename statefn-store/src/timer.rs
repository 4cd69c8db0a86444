//! Timers: calls that wait for their time.

use crate::{OutboxNumber, PersistenceId, StoredCall, Timestamp};

/// A timer on its way into the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTimer {
    /// Its name, unique within the entity that sets it.
    pub name: String,
    /// When it is due first.
    pub due: Timestamp,
    /// How it goes on after that, in the runtime's words; empty for once.
    pub schedule: Vec<u8>,
    /// What is to be called.
    pub call: StoredCall,
}

/// A stored timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Its number; setting it again gives it another one.
    pub number: OutboxNumber,
    /// The entity that set it.
    pub owner: PersistenceId,
    /// Its name.
    pub name: String,
    /// When it is due.
    pub due: Timestamp,
    /// When to look at it: `due`, or later after a failed attempt.
    pub wake: Timestamp,
    /// How it goes on, in the runtime's words.
    pub schedule: Vec<u8>,
    /// What is to be called.
    pub call: StoredCall,
}

/// A change of a timer of the member's entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimerChange {
    /// Sets a timer; replaces the one of that name.
    Set(NewTimer),
    /// Ends the timer of this name, if there is one.
    Cancel {
        /// The name.
        name: String,
    },
    /// Ends all timers of the entity.
    CancelAll,
}
