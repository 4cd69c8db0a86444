//! Money under `kill -9`: it moves by effects and timers, between event-sourced and CRUD entities, some of
//! which are deleted and purged meanwhile.
//!
//! Each order leaves a mark where it arrives, so that a journal says how often it took place; the sum
//! of all purses says whether its other half did.

mod book;
mod check;
mod entities;
mod order;

pub(super) use book::Money;
pub(super) use check::check;
pub(super) use entities::{Account, Draft, Metronome, Vault};
pub(super) use order::{DRAFT, Errand, How, METRONOMES, Order, Outcome, Purse, PurseKind};
