//! Rows that write to disk: WAL, `synchronous=FULL`, 64-byte payloads, 100,000 entities.

pub(crate) mod cqrs;
pub(crate) mod envelope;
pub(crate) mod fill;
pub(crate) mod ours;
pub(crate) mod raw;
mod rows;
mod sides;

pub(crate) use rows::{HOT, MANY, ONE, SIXTY_FOUR};

/// Entities of a full run.
pub(crate) const ENTITIES: usize = 100_000;

/// Events that each entity has before anything is measured.
pub(crate) const HISTORY: usize = 10;
