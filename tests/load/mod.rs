//! More load than can be served, and load for long, on a real disk.
//!
//! [`overload`] measures the most that a runtime serves, offers a multiple of it at times that are
//! fixed in advance, and judges what becomes of those who are served, of those who are refused, and of
//! memory. [`stuck`] does that with a disk that does not answer. [`soak`] lets entities come and go for
//! long and watches what must stay flat; [`alarms`] does so for timers that are all due at once. After each run the store is opened again and held against the
//! `book` of all answers.

pub mod alarms;
mod audit;
mod book;
mod budget;
mod churn;
mod closed;
mod meter;
mod open;
pub mod overload;
pub mod soak;
pub mod stuck;
mod tally;
mod trend;
mod usage;
mod verdict;
mod world;

pub use verdict::Verdict;
pub use world::Failure;
