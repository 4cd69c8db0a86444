//! The entities: accounts of balances, the same with different cadences of snapshots.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use statefn::entity::Behavior;
use statefn::prelude::*;
use statefn::{CallError, Infallible};

use super::stage::BoxFuture;

/// What a command may do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// One event, unless it would take more than is there.
    Put { slot: u8, amount: i64 },
    /// As many events, whatever is there.
    PutMany(Vec<(u8, i64)>),
    /// No event.
    Nothing,
    /// An event, then a panic.
    Panic,
    /// An event, then one whose handler panics.
    Curse,
    /// An event, then a panic in the closure that makes the reply.
    PanicReply,
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) enum Change {
    Put(Fact),
    Cursed,
}

/// What one event says. `serial` names the command that emitted it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fact {
    pub(crate) serial: u32,
    pub(crate) slot: u8,
    pub(crate) amount: i64,
}

#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[error("only {balance} is there")]
pub(crate) struct Short {
    pub(crate) balance: i64,
}

/// All there is to see of an entity: a sum of each slot, and a word that depends on the order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct View {
    pub(crate) count: u64,
    pub(crate) balances: BTreeMap<u8, i64>,
    pub(crate) order: u64,
    pub(crate) last: Option<u32>,
}

impl View {
    pub(crate) fn balance(&self, slot: u8) -> i64 {
        self.balances.get(&slot).copied().unwrap_or(0)
    }

    fn apply(&mut self, fact: &Fact) {
        self.count += 1;
        *self.balances.entry(fact.slot).or_default() += fact.amount;
        self.order = self
            .order
            .wrapping_mul(31)
            .wrapping_add(u64::from(fact.serial));
        self.last = Some(fact.serial);
    }
}

pub(crate) type Answer = Result<View, CallError<Short>>;

/// One of the ledgers below.
pub(crate) trait Kind: Behavior {
    fn act(
        runtime: &Runtime,
        id: &str,
        serial: u32,
        action: &Action,
        key: Option<&str>,
    ) -> BoxFuture<Answer>;

    fn view(runtime: &Runtime, id: &str) -> BoxFuture<Result<View, CallError<Infallible>>>;
}

macro_rules! ledger {
    ($module:ident, $name:literal, $every:literal, $codec:literal) => {
        pub(crate) mod $module {
            use super::*;

            #[entity(event_sourced, name = $name, snapshot_every = $every, codec = $codec)]
            #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
            pub(crate) struct Ledger {
                view: View,
            }

            #[entity]
            impl Ledger {
                #[command]
                fn act(
                    &self,
                    ctx: &mut Context<Self>,
                    serial: u32,
                    action: Action,
                ) -> Result<Then<Self, View>, Short> {
                    let put = |slot, amount| {
                        Change::Put(Fact {
                            serial,
                            slot,
                            amount,
                        })
                    };
                    match action {
                        Action::Put { slot, amount } => {
                            let balance = self.view.balance(slot);
                            if balance + amount < 0 {
                                return Err(Short { balance });
                            }
                            ctx.emit(put(slot, amount));
                        }
                        Action::PutMany(puts) => {
                            for (slot, amount) in puts {
                                ctx.emit(put(slot, amount));
                            }
                        }
                        Action::Nothing => {}
                        Action::Panic => {
                            ctx.emit(put(0, 1));
                            panic!("on purpose");
                        }
                        Action::Curse => {
                            ctx.emit(put(0, 1));
                            ctx.emit(Change::Cursed);
                        }
                        Action::PanicReply => {
                            ctx.emit(put(0, 1));
                            return Ok(ctx.then(|_| panic!("on purpose")));
                        }
                    }
                    Ok(ctx.then(|ledger| ledger.view.clone()))
                }

                #[query]
                fn view(&self) -> View {
                    self.view.clone()
                }

                #[event_handler]
                fn apply(&mut self, change: &Change) {
                    match change {
                        Change::Put(fact) => self.view.apply(fact),
                        Change::Cursed => panic!("on purpose"),
                    }
                }
            }

            impl Kind for Ledger {
                fn act(
                    runtime: &Runtime,
                    id: &str,
                    serial: u32,
                    action: &Action,
                    key: Option<&str>,
                ) -> BoxFuture<Answer> {
                    let call = runtime.entity::<Self>(id).act(serial, action.clone());
                    match key {
                        Some(key) => Box::pin(call.with_key(key).into_future()),
                        None => Box::pin(call.into_future()),
                    }
                }

                fn view(
                    runtime: &Runtime,
                    id: &str,
                ) -> BoxFuture<Result<View, CallError<Infallible>>> {
                    Box::pin(runtime.entity::<Self>(id).view().into_future())
                }
            }
        }
    };
}

ledger!(never, "never", 0, "bincode");
ledger!(always, "always", 1, "bincode");
ledger!(second, "second", 2, "bincode");
ledger!(third, "third", 3, "bincode");
ledger!(json, "json", 2, "json");
