//! The entity under load: it counts its commands, so that each answer says where its command lies in
//! the journal.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

/// How long a key of a meter is remembered: short, so that keys expire while a soak goes on.
pub(super) const RETENTION: std::time::Duration = std::time::Duration::from_secs(2);

/// How a panic begins that is part of a load.
pub(super) const PLANTED: &str = "planted in";

/// What happens to a meter.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(super) enum Reading {
    Ticked { number: u64, padding: String },
}

/// The fields of [`Reading::Ticked`], as they are stored.
#[derive(Debug, Deserialize)]
pub(super) struct Ticked {
    pub(super) number: u64,
}

/// Counts; its sequence number is its count.
#[entity(event_sourced, name = "meter", codec = "json", key_retention = "2s")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Meter {
    count: u64,
}

#[entity]
impl Meter {
    #[command]
    fn tick(&self, ctx: &mut Context<Self>, number: u64, padding: u64) -> Then<Self, u64> {
        let padding = "x".repeat(usize::try_from(padding).unwrap_or(0));
        ctx.emit(Reading::Ticked { number, padding });
        ctx.then(|meter| meter.count)
    }

    #[command]
    fn curse(&self, ctx: &mut Context<Self>) -> u64 {
        panic!("{PLANTED} {}", ctx.id())
    }

    #[query]
    fn count(&self) -> u64 {
        self.count
    }

    #[event_handler]
    fn apply(&mut self, event: &Reading) {
        match event {
            Reading::Ticked { .. } => self.count += 1,
        }
    }
}
