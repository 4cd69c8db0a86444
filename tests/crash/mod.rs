//! `kill -9` of a real process under load, at least a hundred times a test run.
//!
//! A [`program`] runs a real runtime on a SQLite file and reports every call before it is sent and
//! every answer after it was given. Its parent kills it at a `moment`, starts it again on the same
//! file, and between two processes reads the `journal` back and asks an `oracle` whether it is what
//! callers had been told: acknowledged is there (P1), each command once (P6) and whole (P4), answers
//! of every kind from states that are in the journal (P2), replayed state equal to live state and
//! to a plain model (P7), nobody without an answer (P8).
//!
//! One load is of another kind: `money` that moves by effects and timers. Its processes also die at every
//! `step` of a command, an effect, a firing and a purge, to the instruction.

mod backups;
mod book;
mod breach;
mod campaign;
mod journal;
mod judge;
mod ledger;
mod load;
mod moment;
mod money;
mod oracle;
mod process;
pub mod program;
mod report;
mod step;
mod store;
mod totals;

pub use campaign::{Plan, run};
pub use load::Load;
pub use totals::{Table, Totals};
