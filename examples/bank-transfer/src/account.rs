//! A bank account, and what two of them tell each other about a transfer.
//!
//! ```text
//! sender                          receiver
//! send: the money leaves ───────▶ receive: it arrives, or is refused
//! confirm: it is done    ◀─────── told when it has arrived
//!   .. nothing heard for a minute ..
//! expire                 ───────▶ call_off: never again, if it has not arrived
//! give_back              ◀─────── told when it was called off
//! ```
//!
//! Every arrow is an effect: it takes place exactly once, and those of one sender to one receiver
//! keep their order, so `call_off` never overtakes `receive`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

/// How long the sender waits before it calls a transfer off.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What has happened to an account.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) enum Booking {
    Deposited { cents: u64 },
    Sent { transfer: String, transit: Transit },
    Confirmed { transfer: String },
    GivenBack { transfer: String },
    Received { transfer: String, cents: u64 },
    CalledOff { transfer: String },
    Frozen { is_frozen: bool },
}

/// Money that has left its account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Transit {
    pub(crate) to: String,
    pub(crate) cents: u64,
}

/// Why nothing was booked.
#[derive(Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
pub(crate) enum Refusal {
    #[error("there are only {0} cents")]
    NotEnough(u64),
    #[error("the account is frozen")]
    Frozen,
    #[error("there is a transfer of this name")]
    Known,
    #[error("the transfer was called off")]
    CalledOff,
}

/// A bank account.
#[entity(event_sourced, name = "account", snapshot_every = 20)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    cents: u64,
    is_frozen: bool,
    /// Sent, and nothing heard yet.
    in_transit: BTreeMap<String, Transit>,
    /// Names of all transfers that began here.
    sent: BTreeSet<String>,
    /// Those that have arrived here.
    received: BTreeSet<String>,
    /// Those that never will.
    called_off: BTreeSet<String>,
}

#[entity]
impl Account {
    #[command]
    fn deposit(&self, ctx: &mut Context<Self>, cents: u64) {
        ctx.emit(Booking::Deposited { cents });
    }

    /// A frozen account takes no money; what is there can leave.
    #[command]
    fn freeze(&self, ctx: &mut Context<Self>, is_frozen: bool) {
        ctx.emit(Booking::Frozen { is_frozen });
    }

    /// Sends money to another account. The name of a transfer is its sender's for ever.
    #[command]
    pub(crate) fn send(
        &self,
        ctx: &mut Context<Self>,
        transfer: String,
        to: String,
        cents: u64,
    ) -> Result<(), Refusal> {
        if self.sent.contains(&transfer) {
            return Err(Refusal::Known);
        }
        if cents > self.cents {
            return Err(Refusal::NotEnough(self.cents));
        }
        let from = ctx.id().to_owned();
        let receiver = ctx.entity::<Self>(to.as_str());
        ctx.effect(receiver.receive(from, transfer.as_str(), cents));
        let expire = ctx.me().expire(transfer.as_str());
        ctx.schedule(timer(&transfer), PATIENCE, expire);
        let transit = Transit { to, cents };
        ctx.emit(Booking::Sent { transfer, transit });
        Ok(())
    }

    /// Money arrives.
    #[command]
    pub(crate) fn receive(
        &self,
        ctx: &mut Context<Self>,
        from: String,
        transfer: String,
        cents: u64,
    ) -> Result<(), Refusal> {
        let name = full_name(&from, &transfer);
        if self.called_off.contains(&name) {
            return Err(Refusal::CalledOff);
        }
        if self.is_frozen {
            return Err(Refusal::Frozen);
        }
        let sender = ctx.entity::<Self>(from);
        ctx.effect(sender.confirm(transfer));
        let transfer = name;
        ctx.emit(Booking::Received { transfer, cents });
        Ok(())
    }

    /// The money has arrived.
    #[command]
    pub(crate) fn confirm(&self, ctx: &mut Context<Self>, transfer: String) {
        if self.in_transit.contains_key(&transfer) {
            ctx.cancel(timer(&transfer));
            ctx.emit(Booking::Confirmed { transfer });
        }
    }

    /// Nothing was heard of a transfer.
    #[command]
    pub(crate) fn expire(&self, ctx: &mut Context<Self>, transfer: String) {
        if let Some(transit) = self.in_transit.get(&transfer) {
            let from = ctx.id().to_owned();
            let receiver = ctx.entity::<Self>(transit.to.as_str());
            ctx.effect(receiver.call_off(from, transfer));
        }
    }

    /// The sender takes a transfer back: from now on it cannot arrive.
    #[command]
    pub(crate) fn call_off(&self, ctx: &mut Context<Self>, from: String, transfer: String) {
        let name = full_name(&from, &transfer);
        let sender = ctx.entity::<Self>(from);
        if self.received.contains(&name) {
            // It has arrived after all, and the sender hears of that.
            return;
        }
        ctx.effect(sender.give_back(transfer));
        let transfer = name;
        ctx.emit(Booking::CalledOff { transfer });
    }

    /// The money comes back.
    #[command]
    pub(crate) fn give_back(&self, ctx: &mut Context<Self>, transfer: String) {
        if self.in_transit.contains_key(&transfer) {
            ctx.emit(Booking::GivenBack { transfer });
        }
    }

    #[query]
    fn cents(&self) -> u64 {
        self.cents
    }

    /// What was sent and not heard of.
    #[query]
    fn in_transit(&self) -> BTreeMap<String, Transit> {
        self.in_transit.clone()
    }

    #[query]
    fn has_received(&self, from: String, transfer: String) -> bool {
        self.received.contains(&full_name(&from, &transfer))
    }

    #[event_handler]
    fn book(&mut self, booking: &Booking) {
        match booking {
            Booking::Deposited { cents } => self.cents += cents,
            Booking::Sent { transfer, transit } => {
                self.cents -= transit.cents;
                self.sent.insert(transfer.clone());
                self.in_transit.insert(transfer.clone(), transit.clone());
            }
            Booking::Confirmed { transfer } => {
                self.in_transit.remove(transfer);
            }
            Booking::GivenBack { transfer } => {
                let transit = self.in_transit.remove(transfer);
                self.cents += transit.map_or(0, |transit| transit.cents);
            }
            Booking::Received { transfer, cents } => {
                self.cents += cents;
                self.received.insert(transfer.clone());
            }
            Booking::CalledOff { transfer } => {
                self.called_off.insert(transfer.clone());
            }
            Booking::Frozen { is_frozen } => self.is_frozen = *is_frozen,
        }
    }
}

fn timer(transfer: &str) -> String {
    format!("transfer {transfer}")
}

/// Names of transfers are the sender's own: two senders may use the same one.
fn full_name(from: &str, transfer: &str) -> String {
    format!("{from}/{transfer}")
}

#[cfg(test)]
mod tests {
    use statefn::testing::{Scenario, entity};

    use super::*;

    fn deposited(cents: u64) -> Booking {
        Booking::Deposited { cents }
    }

    fn sent() -> Booking {
        let (transfer, to) = ("t1".to_owned(), "bob".to_owned());
        let transit = Transit { to, cents: 30 };
        Booking::Sent { transfer, transit }
    }

    #[test]
    fn money_that_is_sent_leaves_at_once_with_a_timer_to_fetch_it_back() {
        Scenario::<Account>::new("alice")
            .given([deposited(100)])
            .when(|account, ctx| account.send(ctx, "t1".into(), "bob".into(), 30))
            .then_reply(())
            .then_events([sent()])
            .then_effects([entity::<Account>("bob").receive("alice", "t1", 30)])
            .then_scheduled([(
                "transfer t1",
                PATIENCE,
                entity::<Account>("alice").expire("t1"),
            )])
            .when(|account, ctx| account.send(ctx, "t1".into(), "bob".into(), 30))
            .then_rejection(Refusal::Known)
            .when(|account, ctx| account.send(ctx, "t2".into(), "bob".into(), 71))
            .then_rejection(Refusal::NotEnough(70))
            .then_nothing_sent();
    }

    #[test]
    fn money_that_arrives_is_confirmed_and_the_timer_ends() {
        Scenario::<Account>::new("bob")
            .when(|account, ctx| account.receive(ctx, "alice".into(), "t1".into(), 30))
            .then_effects([entity::<Account>("alice").confirm("t1")])
            .query(Account::cents)
            .then_reply(30);
        Scenario::<Account>::new("alice")
            .given([deposited(100), sent()])
            .when(|account, ctx| account.confirm(ctx, "t1".into()))
            .then_cancelled(["transfer t1"])
            .when(|account, ctx| account.expire(ctx, "t1".into()))
            .then_nothing_sent();
    }

    #[test]
    fn a_transfer_that_was_called_off_never_arrives() {
        Scenario::<Account>::new("alice")
            .given([deposited(100), sent()])
            .when(|account, ctx| account.expire(ctx, "t1".into()))
            .then_effects([entity::<Account>("bob").call_off("alice", "t1")])
            .then_no_events();
        Scenario::<Account>::new("bob")
            .when(|account, ctx| account.call_off(ctx, "alice".into(), "t1".into()))
            .then_effects([entity::<Account>("alice").give_back("t1")])
            .when(|account, ctx| account.receive(ctx, "alice".into(), "t1".into(), 30))
            .then_rejection(Refusal::CalledOff);
        Scenario::<Account>::new("bob")
            .when(|account, ctx| account.receive(ctx, "alice".into(), "t1".into(), 30))
            .when(|account, ctx| account.call_off(ctx, "alice".into(), "t1".into()))
            .then_nothing_sent();
    }
}
