//! The entities under load. Their state says which events made it, so that every answer can be held
//! against the journal.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

/// A total stays between zero and this; a posting that would lead out is refused.
pub(super) const CEILING: i64 = 1_000;

/// A state as a caller sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct View {
    /// Events applied: the entity's sequence number.
    pub(super) version: u64,
    pub(super) total: i64,
    /// Of every event before, in order.
    pub(super) digest: u64,
}

/// One event of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) command: u64,
    pub(super) index: u64,
    /// How many events the command has.
    pub(super) of: u64,
    pub(super) amount: i64,
    pub(super) padding: u64,
}

impl View {
    /// The state after one more event.
    #[must_use]
    pub(super) fn after(self, part: Part) -> Self {
        let words = [
            part.command,
            part.index,
            part.of,
            part.amount.cast_unsigned(),
            part.padding,
        ];
        let digest = words.into_iter().fold(self.digest, |digest, word| {
            (digest ^ word)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(29)
        });
        Self {
            version: self.version + 1,
            total: self.total + part.amount,
            digest,
        }
    }

    /// Whether a ledger in this state takes the amounts.
    pub(super) fn takes(self, amounts: &[i64]) -> bool {
        (0..=CEILING).contains(&(self.total + amounts.iter().sum::<i64>()))
    }
}

/// What happens to a ledger.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(super) enum Posting {
    Posted {
        part: Part,
        padding: String,
    },
    /// Its handler panics.
    Cursed,
}

/// A posting that was refused, with the state on which that was decided.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[error("refused at {0:?}")]
pub(super) struct Refusal(pub(super) View);

/// Where a planted panic strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Curse {
    Handler,
    Event,
    Reply,
}

/// What a posting comes to on a ledger in this state.
fn decide(
    view: View,
    command: u64,
    amounts: &[i64],
    padding: u64,
) -> Result<Vec<Posting>, Refusal> {
    if !view.takes(amounts) {
        return Err(Refusal(view));
    }
    let of = amounts.len() as u64;
    let events = (0..).zip(amounts).map(|(index, amount)| {
        let part = Part {
            command,
            index,
            of,
            amount: *amount,
            padding,
        };
        let padding = "x".repeat(usize::try_from(padding).unwrap_or(0));
        Posting::Posted { part, padding }
    });
    Ok(events.collect())
}

/// Two entity types that differ in how often they are snapshotted.
macro_rules! entities {
    ($($module:ident, $entity:ident, $stored:tt, $every:tt;)*) => {$(
        pub(super) use $module::$entity;

        mod $module {
            use super::*;

            #[entity(event_sourced, name = $stored, snapshot_every = $every)]
            #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
            pub(in crate::crash) struct $entity {
                view: View,
                /// Makes a snapshot as large as the last event.
                padding: String,
            }

            #[entity]
            impl $entity {
                #[command]
                fn post(
                    &self,
                    ctx: &mut Context<Self>,
                    command: u64,
                    amounts: Vec<i64>,
                    padding: u64,
                ) -> Result<Then<Self, View>, Refusal> {
                    for event in decide(self.view, command, &amounts, padding)? {
                        ctx.emit(event);
                    }
                    Ok(ctx.then(|ledger| ledger.view))
                }

                #[command]
                fn curse(&self, ctx: &mut Context<Self>, command: u64, curse: Curse) -> Then<Self, View> {
                    let part = Part { command, index: 0, of: 1, amount: 1, padding: 0 };
                    ctx.emit(Posting::Posted { part, padding: String::new() });
                    match curse {
                        Curse::Handler => panic!("planted in a handler"),
                        Curse::Event => ctx.emit(Posting::Cursed),
                        Curse::Reply => {}
                    }
                    ctx.then(|ledger| panic!("planted in the reply at {:?}", ledger.view))
                }

                #[query]
                fn look(&self) -> View {
                    self.view
                }

                #[event_handler]
                fn apply(&mut self, event: &Posting) {
                    match event {
                        Posting::Posted { part, padding } => {
                            self.view = self.view.after(*part);
                            self.padding.clone_from(padding);
                        }
                        Posting::Cursed => panic!("planted in an event handler"),
                    }
                }
            }
        }
    )*};
}

entities! {
    plain, Ledger, "ledger", 1_000;
    snapped, Notebook, "notebook", 3;
}
