//! T7 to T10 and T15.

use super::{cqrs, sides};
use crate::harness::{Entry, Family, Row, Target, Unit};

/// 256 callers on all entities.
pub(crate) const MANY: Family = Family {
    what: "Durable commands, 256 callers, 100,000 entities, uniform",
    share: 1.0,
    preparation: 40.0,
    entries: &[
        Entry {
            name: "statefn",
            unit: Unit::PerSecond,
            make: sides::ours,
        },
        Entry {
            name: "raw group commit, rowid + unique index",
            unit: Unit::PerSecond,
            make: sides::raw_indexed,
        },
        Entry {
            name: "raw group commit, nothing indexed",
            unit: Unit::PerSecond,
            make: sides::raw_bare,
        },
        Entry {
            name: "statefn, an idempotency key each",
            unit: Unit::PerSecond,
            make: sides::ours_keyed,
        },
    ],
    rows: &[
        Row {
            id: "T7",
            what: "durable commands/s, 256 callers",
            ours: 0,
            peer: Some(1),
            target: Target::AtLeast {
                first: 1.5,
                goal: 6.0,
            },
        },
        Row {
            id: "T7b",
            what: "the same",
            ours: 0,
            peer: Some(2),
            target: Target::AtLeast {
                first: 0.3,
                goal: 0.85,
            },
        },
        Row {
            id: "T15",
            what: "durable commands/s with an idempotency key each, 256 callers",
            ours: 3,
            peer: Some(0),
            target: Target::AtLeast {
                first: 0.5,
                goal: 0.85,
            },
        },
    ],
};

/// 256 callers on one entity.
pub(crate) const HOT: Family = Family {
    what: "Durable commands on one hot entity, 256 callers",
    share: 0.7,
    preparation: 0.0,
    entries: &[
        Entry {
            name: "statefn",
            unit: Unit::PerSecond,
            make: sides::ours_hot,
        },
        Entry {
            name: "by hand, one commit a command",
            unit: Unit::PerSecond,
            make: sides::raw_strict,
        },
    ],
    rows: &[Row {
        id: "T8",
        what: "durable commands/s on one hot entity, 256 callers",
        ours: 0,
        peer: Some(1),
        target: Target::AtLeast {
            first: 15.0,
            goal: 45.0,
        },
    }],
};

/// One caller.
pub(crate) const ONE: Family = Family {
    what: "Durable command, one caller, median",
    share: 0.5,
    preparation: 10.0,
    entries: &[
        Entry {
            name: "statefn",
            unit: Unit::Nanoseconds,
            make: sides::ours_one,
        },
        Entry {
            name: "raw one-row transaction, nothing indexed",
            unit: Unit::Nanoseconds,
            make: sides::raw_one,
        },
    ],
    rows: &[Row {
        id: "T9",
        what: "durable command, 1 caller, p50",
        ours: 0,
        peer: Some(1),
        target: Target::AtMost {
            first: 1.6,
            goal: 1.15,
        },
    }],
};

/// 64 callers, against a library.
pub(crate) const SIXTY_FOUR: Family = Family {
    what: "Durable commands, 64 callers, 100,000 entities, uniform",
    share: 0.7,
    preparation: 20.0,
    entries: &[
        Entry {
            name: "statefn",
            unit: Unit::PerSecond,
            make: sides::ours_64,
        },
        Entry {
            name: "cqrs-es on SQLite",
            unit: Unit::PerSecond,
            make: cqrs::make,
        },
    ],
    rows: &[Row {
        id: "T10",
        what: "durable commands/s, 64 callers",
        ours: 0,
        peer: Some(1),
        target: Target::AtLeast {
            first: 20.0,
            goal: 80.0,
        },
    }],
};
