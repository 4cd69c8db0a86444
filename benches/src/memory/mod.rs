//! Rows that write to no disk.

pub(crate) mod history;
pub(crate) mod idle;
mod one;
mod peers;
mod resident;
mod shoppers;

use crate::harness::{Entry, Family, Row, Target, Unit};

/// One caller in a task, and one on a thread outside the runtime: a query.
pub(crate) const ASK: Family = Family {
    what: "Query of a resident entity, one caller in a task",
    share: 0.3,
    preparation: 0.0,
    entries: &[
        Entry {
            name: "statefn",
            unit: Unit::Nanoseconds,
            make: one::ours_in_task,
        },
        Entry {
            name: "ractor",
            unit: Unit::Nanoseconds,
            make: one::ractor_in_task,
        },
    ],
    rows: &[Row {
        id: "T1",
        what: "query of a resident entity, one caller in a task, mean",
        ours: 0,
        peer: Some(1),
        target: Target::AtMost {
            first: 0.5,
            goal: 0.2,
        },
    }],
};

/// The same from outside.
pub(crate) const OUTSIDE: Family = Family {
    what: "Query of a resident entity, from a thread outside the runtime",
    share: 0.3,
    preparation: 0.0,
    entries: &[
        Entry {
            name: "statefn",
            unit: Unit::Nanoseconds,
            make: one::ours_outside,
        },
        Entry {
            name: "ractor",
            unit: Unit::Nanoseconds,
            make: one::ractor_outside,
        },
    ],
    rows: &[Row {
        id: "T2",
        what: "the same from a thread outside the runtime",
        ours: 0,
        peer: Some(1),
        target: Target::AtMost {
            first: 0.1,
            goal: 0.01,
        },
    }],
};

/// A command.
pub(crate) const COMMAND: Family = Family {
    what: "Command, one caller in a task; statefn stores the event in memory, kameo nothing",
    share: 0.3,
    preparation: 0.0,
    entries: &[
        Entry {
            name: "statefn",
            unit: Unit::Nanoseconds,
            make: one::ours_command,
        },
        Entry {
            name: "kameo",
            unit: Unit::Nanoseconds,
            make: one::kameo_command,
        },
    ],
    rows: &[Row {
        id: "T3",
        what: "event-sourced command, in-memory store, one caller, mean",
        ours: 0,
        peer: Some(1),
        target: Target::AtMost {
            first: 1.0,
            goal: 0.4,
        },
    }],
};

/// Many callers.
pub(crate) const CALLERS: Family = Family {
    what: "Queries, 64 callers, 100,000 entities, uniform",
    share: 0.5,
    preparation: 5.0,
    entries: &[
        Entry {
            name: "statefn",
            unit: Unit::PerSecond,
            make: resident::ours,
        },
        Entry {
            name: "kameo",
            unit: Unit::PerSecond,
            make: resident::kameo,
        },
    ],
    rows: &[Row {
        id: "T4",
        what: "queries/s, 64 callers, 100,000 entities",
        ours: 0,
        peer: Some(1),
        target: Target::AtLeast {
            first: 2.0,
            goal: 4.5,
        },
    }],
};

/// Memory.
pub(crate) const IDLE: Family = Family {
    what: "Memory of an idle entity with an empty cart, beyond the cart itself",
    share: 0.0,
    preparation: 60.0,
    entries: &[
        Entry {
            name: "statefn",
            unit: Unit::Bytes,
            make: idle::ours,
        },
        Entry {
            name: "kameo",
            unit: Unit::Bytes,
            make: idle::kameo,
        },
    ],
    rows: &[Row {
        id: "T5",
        what: "memory of an idle resident entity beyond the user's own state",
        ours: 0,
        peer: Some(1),
        target: Target::AtMost {
            first: 0.06,
            goal: 0.03,
        },
    }],
};

/// History.
pub(crate) const HISTORY: Family = Family {
    what: "Event-sourced commands, in-memory store, 10 events of history, one caller",
    share: 0.3,
    preparation: 0.0,
    entries: &[
        Entry {
            name: "statefn",
            unit: Unit::PerSecond,
            make: history::ours,
        },
        Entry {
            name: "eventually",
            unit: Unit::PerSecond,
            make: history::eventually,
        },
        Entry {
            name: "cqrs-es, in memory",
            unit: Unit::PerSecond,
            make: history::cqrs,
        },
    ],
    rows: &[
        Row {
            id: "T6",
            what: "event-sourced commands/s, in-memory store, 10 events of history",
            ours: 0,
            peer: Some(1),
            target: Target::AtLeast {
                first: 1.5,
                goal: 3.0,
            },
        },
        Row {
            id: "T6b",
            what: "the same",
            ours: 0,
            peer: Some(2),
            target: Target::None,
        },
    ],
};
