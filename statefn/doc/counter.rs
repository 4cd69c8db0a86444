// The entity that the examples of the documentation call.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub enum CounterEvent {
    Added { amount: i64 },
}

/// Counts.
#[entity(event_sourced, name = "counter")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counter {
    total: i64,
}

#[entity]
impl Counter {
    /// Adds a positive amount and answers the new total.
    #[command]
    fn add(&self, ctx: &mut Context<Self>, amount: i64) -> Result<Then<Self, i64>, String> {
        if amount <= 0 {
            return Err(format!("{amount} is not positive"));
        }
        ctx.emit(CounterEvent::Added { amount });
        Ok(ctx.then(|counter| counter.total))
    }

    /// The total.
    #[query]
    fn total(&self) -> i64 {
        self.total
    }

    #[event_handler]
    fn apply(&mut self, event: &CounterEvent) {
        let CounterEvent::Added { amount } = event;
        self.total += amount;
    }
}
