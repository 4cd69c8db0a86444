//! Rows about coming back: recovery of entities, start of a store, and a store that has grown.

pub(crate) mod by_hand;
pub(crate) mod grown;
pub(crate) mod ours;
pub(crate) mod start;

use crate::harness::{Entry, Family, Row, Target, Unit};

/// One entity with a long history.
pub(crate) const LONG: Family = Family {
    what: "Recovery of one entity with 100,000 events, no snapshot",
    share: 0.3,
    preparation: 5.0,
    entries: &[
        Entry {
            name: "statefn",
            unit: Unit::Seconds,
            make: ours::long,
        },
        Entry {
            name: "by hand: scan, decode, apply",
            unit: Unit::Seconds,
            make: by_hand::long,
        },
    ],
    rows: &[Row {
        id: "T11",
        what: "recovery of one entity with 100 k events, no snapshot",
        ours: 0,
        peer: Some(1),
        target: Target::AtMost {
            first: 2.0,
            goal: 1.25,
        },
    }],
};

/// Many entities with a short one.
pub(crate) const MANY: Family = Family {
    what: "Recovery of 100,000 entities of 10 events each, one after another; seconds for all",
    share: 0.5,
    preparation: 20.0,
    entries: &[
        Entry {
            name: "statefn",
            unit: Unit::Seconds,
            make: ours::many,
        },
        Entry {
            name: "by hand, through the index",
            unit: Unit::Seconds,
            make: by_hand::many,
        },
    ],
    rows: &[Row {
        id: "T12",
        what: "recovery of 100 k entities of 10 events each, one after another",
        ours: 0,
        peer: Some(1),
        target: Target::AtMost {
            first: 1.5,
            goal: 1.0,
        },
    }],
};

/// From opening a file to the first answer.
pub(crate) const START: Family = Family {
    what: "Opening a store of 1,000,000 entities and answering the first command",
    share: 0.0,
    preparation: 60.0,
    entries: &[
        Entry {
            name: "statefn, after a clean stop",
            unit: Unit::Seconds,
            make: start::clean,
        },
        Entry {
            name: "by hand: open, one indexed read",
            unit: Unit::Seconds,
            make: start::by_hand,
        },
        Entry {
            name: "statefn, after kill -9",
            unit: Unit::Seconds,
            make: start::killed,
        },
    ],
    rows: &[
        Row {
            id: "T13",
            what: "open a store of 1 M entities and answer the first command, after a clean stop",
            ours: 0,
            peer: Some(1),
            target: Target::AtMost {
                first: 3.0,
                goal: 1.3,
            },
        },
        Row {
            id: "T13b",
            what: "the same after a kill, in seconds",
            ours: 2,
            peer: None,
            target: Target::AtMost {
                first: 2.0,
                goal: 0.5,
            },
        },
    ],
};

/// A large store.
pub(crate) const GROWN: Family = Family {
    what: "Durable commands, 256 callers, 100,000 entities, on a store with 10,000,000 events",
    share: 1.0,
    preparation: 120.0,
    entries: &[
        Entry {
            name: "statefn, 10 M events before",
            unit: Unit::PerSecond,
            make: grown::full,
        },
        Entry {
            name: "statefn, an empty store",
            unit: Unit::PerSecond,
            make: grown::empty,
        },
    ],
    rows: &[Row {
        id: "T14",
        what: "commands/s with 10 M stored events against an empty store",
        ours: 0,
        peer: Some(1),
        target: Target::AtLeast {
            first: 0.7,
            goal: 0.95,
        },
    }],
};
