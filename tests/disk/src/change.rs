//! Changes of a store, and whether a store has them.

use statefn_store::{Entry, Member, Tending};

use crate::ledger::{Ledger, Marks};
use crate::waiting::Waiting;

/// Whether a store holds what a ledger says.
pub fn holds(ledger: &Ledger, (entries, waiting): &(Vec<Entry>, Waiting)) -> bool {
    *entries == ledger.now() && ledger.waits(ledger.batches.len(), waiting)
}

/// A change whose outcome nobody knows.
#[derive(Clone, Debug)]
pub enum Change {
    /// A batch.
    Members(Vec<Member>),
    /// Changes of stored calls.
    Tend(Vec<Tending>),
}

impl Change {
    /// Writes it down.
    pub fn note(&self, ledger: &mut Ledger, marks: Marks, acknowledged: Option<usize>) {
        let marks = Marks {
            acknowledged,
            ..marks
        };
        match self {
            Self::Members(members) => ledger.write(members, marks),
            Self::Tend(changes) => {
                ledger.tend(changes, marks);
            }
        }
    }
}
