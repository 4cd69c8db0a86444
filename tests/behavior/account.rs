//! The entity that most tests use: a sum that never falls below zero.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) enum Movement {
    Added {
        amount: i64,
    },
    Noted {
        text: String,
    },
    /// Its handler panics.
    Cursed,
}

#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
pub(crate) enum Refusal {
    #[error("only {total} is there")]
    Overdrawn { total: i64 },
    #[error("{0}")]
    Said(String),
}

#[entity(event_sourced, name = "account", snapshot_every = 3)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    total: i64,
    moves: Vec<i64>,
    notes: usize,
}

#[entity]
impl Account {
    /// Adds an amount and answers the new total; refuses to go below zero.
    #[command]
    fn add(&self, ctx: &mut Context<Self>, amount: i64) -> Result<Then<Self, i64>, Refusal> {
        if self.total + amount < 0 {
            return Err(Refusal::Overdrawn { total: self.total });
        }
        ctx.emit(Movement::Added { amount });
        Ok(ctx.then(|account| account.total))
    }

    /// One command, many events.
    #[command]
    fn add_all(&self, ctx: &mut Context<Self>, amounts: Vec<i64>) -> Then<Self, i64> {
        for amount in amounts {
            ctx.emit(Movement::Added { amount });
        }
        ctx.then(|account| account.total)
    }

    /// Emits, then refuses: nothing may remain of it.
    #[command]
    fn add_and_refuse(&self, ctx: &mut Context<Self>, amount: i64) -> Result<(), Refusal> {
        ctx.emit(Movement::Added { amount });
        Err(Refusal::Overdrawn { total: self.total })
    }

    /// An event as large as its text.
    #[command]
    fn note(&self, ctx: &mut Context<Self>, text: String) {
        ctx.emit(Movement::Noted { text });
    }

    /// Many events as large as the text.
    #[command]
    fn note_often(&self, ctx: &mut Context<Self>, text: String, count: usize) {
        for _ in 0..count {
            ctx.emit(Movement::Noted { text: text.clone() });
        }
    }

    /// The last event, and the end.
    #[command]
    fn close(&self, ctx: &mut Context<Self>) -> Then<Self, i64> {
        ctx.emit(Movement::Added {
            amount: -self.total,
        });
        ctx.delete();
        ctx.then(|account| account.total)
    }

    /// The end, but for one more event.
    #[command]
    fn close_and_reopen(&self, ctx: &mut Context<Self>, amount: i64) -> Then<Self, i64> {
        ctx.delete();
        ctx.emit(Movement::Added { amount });
        ctx.then(|account| account.total)
    }

    /// A command without events.
    #[command]
    fn look(&self) -> i64 {
        self.total
    }

    /// A reply as large as its text, without events.
    #[command]
    fn say(&self, text: String) -> String {
        text
    }

    /// A reply as large as its text, after an event.
    #[command]
    fn note_and_say(&self, ctx: &mut Context<Self>, text: String) -> String {
        ctx.emit(Movement::Added { amount: 1 });
        text
    }

    /// A rejection as large as its text.
    #[command]
    fn refuse(&self, text: String) -> Result<(), Refusal> {
        Err(Refusal::Said(text))
    }

    /// Emits an event whose handler panics.
    #[command]
    fn curse(&self, ctx: &mut Context<Self>) {
        ctx.emit(Movement::Added { amount: 1_000_000 });
        ctx.emit(Movement::Cursed);
    }

    #[command]
    fn panic(&self, ctx: &mut Context<Self>, message: String) {
        ctx.emit(Movement::Added { amount: 1_000_000 });
        std::panic::panic_any(message);
    }

    /// Panics in the closure that makes the reply, when the events have applied.
    #[command]
    fn panic_then(&self, ctx: &mut Context<Self>) -> Then<Self, i64> {
        ctx.emit(Movement::Added { amount: 1_000_000 });
        ctx.then(|account| panic!("no reply from {}", account.total))
    }

    /// What the handler knows of itself.
    #[command]
    fn whereabouts(&self, ctx: &mut Context<Self>) -> (String, u64, i64, Option<String>) {
        let header = ctx.metadata().get("header").map(str::to_owned);
        (
            ctx.id().to_owned(),
            ctx.sequence().get(),
            ctx.now().as_millis(),
            header,
        )
    }

    #[query]
    fn total(&self) -> i64 {
        self.total
    }

    #[query]
    fn moves(&self) -> Vec<i64> {
        self.moves.clone()
    }

    #[query]
    fn notes(&self) -> usize {
        self.notes
    }

    #[query]
    fn panic_query(&self) -> i64 {
        panic!("asked for {}", self.total)
    }

    #[event_handler]
    fn apply(&mut self, event: &Movement) {
        match event {
            Movement::Added { amount } => {
                self.total += amount;
                self.moves.push(*amount);
            }
            Movement::Noted { .. } => self.notes += 1,
            Movement::Cursed => panic!("a cursed event"),
        }
    }
}
