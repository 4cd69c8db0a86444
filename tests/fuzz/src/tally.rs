//! A small entity that accepts, says no, and shows what it was sent with.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, Event, Serialize, Deserialize)]
pub(crate) struct Added {
    pub(crate) amount: u32,
}

/// Adds up; zero is refused.
#[entity(event_sourced, name = "tally", snapshot_every = 3)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    amounts: Vec<u32>,
}

#[entity]
impl Tally {
    /// Answers how many amounts there are.
    #[command]
    fn add(&self, ctx: &mut Context<Self>, amount: u32) -> Result<Then<Self, usize>, String> {
        if amount == 0 {
            return Err(format!("nothing after {}", self.amounts.len()));
        }
        ctx.emit(Added { amount });
        Ok(ctx.then(|tally| tally.amounts.len()))
    }

    /// Adds, and answers the headers and the id as the handler sees them.
    #[command]
    fn read_headers(&self, ctx: &mut Context<Self>) -> (String, Vec<(String, String)>) {
        ctx.emit(Added { amount: 7 });
        let pairs = ctx.metadata().iter();
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        (ctx.id().to_owned(), pairs.collect())
    }

    #[query]
    fn amounts(&self) -> Vec<u32> {
        self.amounts.clone()
    }

    #[event_handler]
    fn apply(&mut self, event: &Added) {
        self.amounts.push(event.amount);
    }
}
