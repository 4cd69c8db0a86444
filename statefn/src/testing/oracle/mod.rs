//! The judge of a test run: were the promises kept, as far as callers and the journal can tell?
//!
//! A harness writes down what each caller did and saw ([`Attempt`]), reads the journal afterwards
//! ([`Written`]), and asks [`check`]. It is the same for a simulation, for processes that are
//! killed and for disks that lose power; it runs in `O(n log n)` and searches for nothing, because
//! sequence numbers say in which order everything took effect.
//!
//! | | what is checked | [`Violation`] |
//! |---|---|---|
//! | I1 | what was acknowledged is in the journal | `Lost`, `Misplaced` |
//! | I2 | a command takes effect at most once, and as a whole | `Doubled`, `Torn`, `Contradicted` |
//! | I3 | nothing leaves before the commit that it depends on | `Early` |
//! | I4 | what was answered follows from the journal | `Unexplained` |
//! | I5 | sequence numbers and offsets have no gap and rise together | `Gap` |
//! | I7 | nobody waits for ever | `Waits` |
//! | P3 | one at a time: what was answered is seen by whoever asks later; a caller's own order | `Stale`, `OutOfTurn` |
//! | P5 | an error that says "not applied" is true | `Applied` |

mod attempt;
mod bounds;
mod check;
#[cfg(test)]
mod tests;
mod violation;
mod written;

pub use attempt::{Attempt, Saw};
pub use check::check;
pub use violation::Violation;
pub use written::{ATTEMPT_HEADER, Written};
