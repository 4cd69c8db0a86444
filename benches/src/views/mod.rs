//! The read side: a view built anew from a million events, beside upserts by hand.

mod ours;
mod raw;

use crate::harness::{Entry, Family, Row, Target, Unit};

/// All events of the usual store into one row a product.
pub(crate) const REBUILD: Family = Family {
    what: "A view of a million events, built anew, events a second",
    share: 0.0,
    preparation: 60.0,
    entries: &[
        Entry {
            name: "statefn, an async projection",
            unit: Unit::PerSecond,
            make: ours::make,
        },
        Entry {
            name: "raw upserts, 1,024 a transaction",
            unit: Unit::PerSecond,
            make: raw::make,
        },
    ],
    rows: &[Row {
        id: "T20",
        what: "events/s folded into a view",
        ours: 0,
        peer: Some(1),
        target: Target::AtLeast {
            first: 0.3,
            goal: 1.0,
        },
    }],
};
