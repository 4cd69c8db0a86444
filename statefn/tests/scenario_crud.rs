//! The test kit on entities that are stored whole, and on deletions.

#![expect(missing_docs, reason = "test entities")]

use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::testing::Scenario;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Taken(String);

#[entity(crud, name = "seat")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seat {
    holder: Option<String>,
    /// Not stored: what a handler leaves here is lost.
    #[serde(skip)]
    draft: u32,
}

#[entity]
impl Seat {
    /// Takes the seat, and notices late that it is taken.
    #[command]
    fn take(&mut self, by: String) -> Result<u64, Taken> {
        match self.holder.replace(by) {
            Some(before) if Some(&before) != self.holder.as_ref() => Err(Taken(before)),
            _ => Ok(1),
        }
    }

    #[command]
    fn number(&mut self, ctx: &mut Context<Self>) -> u64 {
        ctx.sequence().get()
    }

    #[command]
    fn leave(&mut self, ctx: &mut Context<Self>) -> Then<Self, bool> {
        ctx.delete();
        ctx.then(|seat| seat.holder.is_none())
    }

    #[command]
    fn sketch(&mut self) {
        self.draft += 1;
        self.holder = Some("somebody".to_owned());
    }

    #[command]
    fn toss(&mut self) {
        static TOSSED: AtomicU32 = AtomicU32::new(0);
        self.holder = Some(TOSSED.fetch_add(1, Ordering::Relaxed).to_string());
    }

    #[query]
    fn holder(&self) -> Option<String> {
        self.holder.clone()
    }
}

fn held_by(name: &str) -> Seat {
    Seat {
        holder: Some(name.to_owned()),
        draft: 0,
    }
}

#[test]
fn a_command_changes_the_state_in_place_and_a_rejected_one_does_not() {
    Scenario::<Seat>::new("12A")
        .when(|seat, _| seat.take("alice".to_owned()))
        .then_reply(1)
        .then_state(held_by("alice"))
        .when(|seat, _| seat.take("bob".to_owned()))
        .then_rejection(Taken("alice".to_owned()))
        .then_unchanged()
        .then_state(held_by("alice"))
        .query(Seat::holder)
        .then_reply(Some("alice".to_owned()));
}

#[test]
fn what_was_stored_is_given_and_every_change_counts() {
    Scenario::<Seat>::new("12A")
        .given_state(held_by("alice"))
        .when(|seat, _| seat.take("alice".to_owned()))
        .then_unchanged()
        .when(Seat::number)
        .then_reply(1)
        .when(Seat::leave)
        .then_deleted()
        .then_reply(true)
        .when(Seat::leave)
        .then_unchanged()
        .when(Seat::number)
        .then_reply(2);
}

fn complaint(scenario: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let Err(panic) = std::panic::catch_unwind(scenario) else {
        return "no complaint".to_owned();
    };
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

#[test]
fn a_state_that_does_not_come_back_is_found() {
    let said = complaint(|| {
        Scenario::<Seat>::new("12A").when(|seat, _| seat.sketch());
    });
    assert!(said.contains("does not give the state in memory"), "{said}");
}

#[test]
fn a_command_that_counts_its_calls_is_found() {
    let said = complaint(|| {
        Scenario::<Seat>::new("12A").when(|seat, _| seat.toss());
    });
    assert!(said.contains("not deterministic"), "{said}");
}

#[test]
fn a_deletion_that_was_not_is_found() {
    let said = complaint(|| {
        Scenario::<Seat>::new("12A")
            .when(|seat, _| seat.take("alice".to_owned()))
            .then_deleted();
    });
    assert!(said.contains("did not delete"), "{said}");
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub enum Doc {
    Written { text: String },
    Dropped,
}

#[entity(event_sourced, name = "doc")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Document {
    text: String,
}

#[entity]
impl Document {
    #[command]
    fn drop(&self, ctx: &mut Context<Self>) -> Result<u64, String> {
        if self.text.is_empty() {
            return Err("there is nothing".to_owned());
        }
        ctx.emit(Doc::Dropped);
        ctx.delete();
        Ok(ctx.sequence().get())
    }

    #[event_handler]
    fn apply(&mut self, event: &Doc) {
        match event {
            Doc::Written { text } => self.text.push_str(text),
            Doc::Dropped => self.text.clear(),
        }
    }
}

#[test]
fn an_event_sourced_entity_is_deleted_after_its_last_event() {
    Scenario::<Document>::new("d")
        .given([Doc::Written {
            text: "a".to_owned(),
        }])
        .when(Document::drop)
        .then_events([Doc::Dropped])
        .then_deleted()
        .then_reply(1)
        .then_state(Document::default())
        .when(Document::drop)
        .then_rejection("there is nothing".to_owned())
        .then_unchanged()
        .given([Doc::Written {
            text: "b".to_owned(),
        }])
        .when(Document::drop)
        .then_deleted()
        .then_reply(4);
}
