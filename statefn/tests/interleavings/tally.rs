//! The entity of the models: every answer says at which sequence number it was decided.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) enum TallyEvent {
    Counted,
}

/// A rejection, and the count that it was decided on.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[error("refused at {0}")]
pub(crate) struct Refused(pub(crate) u64);

/// As many as it has events.
#[entity(
    event_sourced,
    name = "tally",
    snapshot_every = 2,
    passivate_after = "250ms"
)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tally {
    count: u64,
}

#[entity]
impl Tally {
    /// One more.
    #[command]
    fn count(&self, ctx: &mut Context<Self>) -> Then<Self, u64> {
        ctx.emit(TallyEvent::Counted);
        ctx.then(|tally| tally.count)
    }

    /// No.
    #[command]
    fn refuse(&self) -> Result<(), Refused> {
        Err(Refused(self.count))
    }

    #[command]
    fn panic(&self, ctx: &mut Context<Self>) {
        ctx.emit(TallyEvent::Counted);
        // Past the panic hook, in which the scheduler would see the end of the model.
        std::panic::resume_unwind(Box::new("planned"));
    }

    #[query]
    fn total(&self) -> u64 {
        self.count
    }

    #[event_handler]
    fn apply(&mut self, event: &TallyEvent) {
        match event {
            TallyEvent::Counted => self.count += 1,
        }
    }
}
