//! The loads: what a program does until it is killed.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use statefn::Limits;

use super::report::EntityKind;

/// A kind of load, named after what is special about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Load {
    /// Many entities, one event a command.
    Uniform,
    /// One entity, long speculation.
    Hot,
    /// Commands of many events: all of them or none.
    Blocks,
    /// Every command has a key and is often sent again, at once and later.
    Retries,
    /// A snapshot every third event.
    Snapshots,
    /// More entities than may be in memory.
    Churn,
    /// Events large enough for checkpoints under load.
    Large,
    /// As many refusals and queries as writes.
    Refusals,
    /// Backups and checks while commands go on.
    Backups,
    /// Handlers that panic.
    Panics,
    /// Money that moves by effects and timers, between entities that are deleted and purged as well.
    Money,
}

impl Load {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Uniform,
        Self::Hot,
        Self::Blocks,
        Self::Retries,
        Self::Snapshots,
        Self::Churn,
        Self::Large,
        Self::Refusals,
        Self::Backups,
        Self::Panics,
        Self::Money,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Hot => "hot",
            Self::Blocks => "blocks",
            Self::Retries => "retries",
            Self::Snapshots => "snapshots",
            Self::Churn => "churn",
            Self::Large => "large",
            Self::Refusals => "refusals",
            Self::Backups => "backups",
            Self::Panics => "panics",
            Self::Money => "money",
        }
    }

    /// The load of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|load| load.name() == name)
    }

    /// Answers after which the oldest process dies. Everything is read back after each.
    pub(super) fn reach(self) -> u64 {
        match self {
            Self::Large => 120,
            Self::Money => 300,
            _ => 700,
        }
    }

    pub(super) fn mix(self) -> Mix {
        let usual = Mix::default();
        match self {
            Self::Uniform => Mix {
                entities: 48,
                kind: None,
                ..usual
            },
            Self::Hot => Mix {
                entities: 1,
                callers: 32,
                ..usual
            },
            Self::Blocks => Mix {
                parts: 2..=24,
                amount: 20,
                ..usual
            },
            Self::Retries => Mix {
                entities: 3,
                keyed: 1000,
                twice: 400,
                deadline: 150,
                dropped: 100,
                keys_in_memory: 16,
                ..usual
            },
            Self::Snapshots => Mix {
                kind: Some(EntityKind::Notebook),
                parts: 1..=4,
                ..usual
            },
            Self::Churn => Mix {
                entities: 40,
                kind: None,
                callers: 6,
                residents: 7,
                ..usual
            },
            Self::Large => Mix {
                entities: 4,
                kind: None,
                callers: 4,
                padding: 5_000..=60_000,
                ..usual
            },
            Self::Refusals => Mix {
                entities: 2,
                amount: 900,
                queries: 300,
                ..usual
            },
            Self::Backups => Mix {
                kind: None,
                operates: true,
                ..usual
            },
            Self::Panics => Mix {
                kind: None,
                curses: 10,
                ..usual
            },
            // Its clerks do something else.
            Self::Money => Mix {
                callers: 8,
                ..usual
            },
        }
    }
}

/// A load in numbers. Chances are in a thousand.
#[derive(Clone, Debug)]
pub(super) struct Mix {
    pub(super) entities: u64,
    /// `None`: both.
    pub(super) kind: Option<EntityKind>,
    /// Calls at the same time.
    pub(super) callers: u64,
    /// Events of a command, at least and at most.
    pub(super) parts: RangeInclusive<u64>,
    /// The largest amount; as often below zero as above.
    pub(super) amount: u64,
    /// Bytes of an event beyond its numbers.
    pub(super) padding: RangeInclusive<u64>,
    pub(super) queries: u32,
    /// Commands with a key.
    pub(super) keyed: u32,
    /// Commands with a key that are sent twice, at the same time or one after the other.
    pub(super) twice: u32,
    /// Commands with a deadline that may pass.
    pub(super) deadline: u32,
    /// Calls whose caller goes away once they are accepted.
    pub(super) dropped: u32,
    pub(super) curses: u32,
    /// Whether backups and checks run as well.
    pub(super) operates: bool,
    pub(super) residents: usize,
    pub(super) keys_in_memory: usize,
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            entities: 6,
            kind: Some(EntityKind::Ledger),
            callers: 12,
            parts: 1..=2,
            amount: 60,
            padding: 0..=40,
            queries: 100,
            keyed: 300,
            twice: 100,
            deadline: 0,
            dropped: 20,
            curses: 0,
            operates: false,
            residents: 1_000,
            keys_in_memory: 10_000,
        }
    }
}

impl Mix {
    /// The same with events so large that the log soon is moved into the database.
    pub(super) fn heavy(self) -> Self {
        Self {
            padding: 400_000..=900_000,
            ..self
        }
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            residents_max: self.residents,
            keys_max: self.keys_in_memory,
            ..Limits::default()
        }
    }
}
