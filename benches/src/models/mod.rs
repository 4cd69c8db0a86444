//! Rows that hold the ways to keep a state, and effects, against event-sourced commands.

mod entities;
mod sides;

use crate::harness::{Entry, Family, Row, Target, Unit};

/// 256 callers on all entities, which are new.
pub(crate) const MODELS: Family = Family {
    what: "Durable commands, 256 callers, 100,000 new entities, uniform",
    share: 0.7,
    preparation: 20.0,
    entries: &[
        Entry {
            name: "statefn, event-sourced",
            unit: Unit::PerSecond,
            make: sides::events,
        },
        Entry {
            name: "statefn, state stored whole (CRUD)",
            unit: Unit::PerSecond,
            make: sides::states,
        },
        Entry {
            name: "statefn, an effect each and its answer",
            unit: Unit::PerSecond,
            make: sides::effects,
        },
    ],
    rows: &[
        Row {
            id: "T16",
            what: "durable CRUD commands/s, 256 callers",
            ours: 1,
            peer: Some(0),
            target: Target::None,
        },
        Row {
            id: "T17",
            what: "effect round trips/s (command, effect, its command, both durable), 256 callers",
            ours: 2,
            peer: Some(0),
            target: Target::None,
        },
    ],
};
