//! What the program under load and its parent tell each other, a line of JSON each.
//!
//! A line that was written to a pipe can be read after its writer is dead. The program writes
//! [`Report::Sent`] before it polls a call and [`Report::Answered`] after the call has returned, so
//! the order of the lines is an order in which things may have happened: an answer that stands
//! before a call had been given before that call began.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use statefn::PersistenceId;

use super::ledger::{Curse, View};
use super::load::Load;
use super::money::{Order, Outcome};
use super::step::{Halt, Step};

/// The first line to the program: what to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Assignment {
    pub(super) file: PathBuf,
    pub(super) load: Load,
    pub(super) seed: u64,
    /// Commands are numbered from here; no earlier round used these numbers.
    pub(super) first_command: u64,
    /// Whether the events are so large that the log soon is moved into the database.
    pub(super) heavy: bool,
    /// To be sent again, under their keys, before anything else.
    pub(super) again: Vec<Again>,
    /// The same for orders.
    pub(super) orders: Vec<Order>,
    /// Where the process dies, if that is to be exact.
    pub(super) halt: Option<Halt>,
}

/// A command that an earlier process sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Again {
    pub(super) command: u64,
    pub(super) attempt: u64,
    pub(super) call: Call,
}

/// A line to the program after the first: shut down in order. The end of the lines means that the
/// parent has died.
pub(super) const STOP: &str = "stop";

/// What is asked of an entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) entity: Address,
    pub(super) what: What,
    /// Whether it has an idempotency key: the number of the command.
    pub(super) keyed: bool,
    /// Microseconds.
    pub(super) deadline: Option<u64>,
    /// Whether its caller goes away once it is accepted.
    pub(super) dropped: bool,
}

/// The idempotency key of a command.
pub(super) fn key_of(command: u64) -> String {
    format!("command-{command}")
}

/// The number of an attempt, unique in the life of a store.
pub(super) fn attempt_number(command: u64, attempt: u64) -> u64 {
    command * 1_000 + attempt
}

/// The command that has this key.
pub(super) fn command_of(key: &str) -> Option<u64> {
    key.strip_prefix("command-")?.parse().ok()
}

/// Which entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Address {
    pub(super) kind: EntityKind,
    pub(super) number: u64,
}

/// Which of the two entity types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum EntityKind {
    Ledger,
    Notebook,
}

impl Address {
    pub(super) fn persistence_id(self) -> PersistenceId {
        let entity_type = match self.kind {
            EntityKind::Ledger => "ledger",
            EntityKind::Notebook => "notebook",
        };
        PersistenceId::new(entity_type, self.id())
    }

    pub(super) fn id(self) -> String {
        format!("account-{}", self.number)
    }

    /// The entity that is stored under this id.
    pub(super) fn of(entity_type: &str, id: &str) -> Option<Self> {
        let kind = match entity_type {
            "ledger" => EntityKind::Ledger,
            "notebook" => EntityKind::Notebook,
            _ => return None,
        };
        let number = id.strip_prefix("account-")?.parse().ok()?;
        Some(Self { kind, number })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum What {
    Post { amounts: Vec<i64>, padding: u64 },
    Look,
    Curse(Curse),
}

/// A line from the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Report {
    /// The store is about to be opened.
    Opening,
    /// The store was not opened.
    NotOpened(String),
    /// The store is open and claimed. Whether a panic ends the process.
    Open {
        aborts: bool,
    },
    Sent {
        /// Calls of one caller to one entity keep their order.
        caller: u64,
        command: u64,
        attempt: u64,
        call: Call,
    },
    Answered {
        command: u64,
        attempt: u64,
        answer: Answer,
    },
    /// An order is about to be given.
    Ordered(Order),
    Done {
        order: u64,
        outcome: Outcome,
    },
    /// Where the process was to die.
    Reached(Step),
    BackingUp(PathBuf),
    BackedUp(PathBuf, Result<(), String>),
    Verifying,
    /// What was wrong.
    Verified(Vec<String>),
    /// The runtime is about to shut down.
    Stopping,
    /// It has shut down, and every call is answered. Whether everything accepted had finished.
    Stopped(Result<bool, String>),
}

/// How a call was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The state after the posting.
    Posted(View),
    /// The state on which that was decided.
    Refused(View),
    /// The state that a query saw.
    Seen(View),
    /// Machinery, not applied.
    NotApplied(Reason),
    /// Machinery, applied or not; also when the caller went away.
    Unknown,
    /// An answer that no load should ever get.
    Odd(String),
}

/// Why the machinery did not apply a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reason {
    Overloaded,
    Panicked,
    Stopped,
    Timeout,
}
