//! The entities between which money moves.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use statefn::effect::Deferrable;
use statefn::entity::Behavior;
use statefn::prelude::*;
use statefn::schedule::{Missed, Schedule};

use super::order::{How, Purse, PurseKind};

/// The domain's no.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[error("no amount that ends in zero")]
pub(in crate::crash) struct Round;

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(in crate::crash) enum Moved {
    Out { order: u64, amount: i64 },
    In { order: u64, amount: i64 },
}

#[entity(event_sourced, name = "account", snapshot_every = 7)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::crash) struct Account {
    balance: i64,
}

#[entity]
impl Account {
    #[command]
    fn send(
        &self,
        ctx: &mut Context<Self>,
        order: u64,
        to: Purse,
        amount: i64,
        how: How,
    ) -> Result<(), Round> {
        ctx.emit(Moved::Out { order, amount });
        deliver(ctx, order, to, amount, how);
        if amount % 10 == 0 {
            return Err(Round);
        }
        Ok(())
    }

    /// Asks somebody else before it sends.
    #[command]
    async fn send_slowly(
        &self,
        ctx: &mut Context<Self>,
        order: u64,
        to: Purse,
        amount: i64,
    ) -> Result<(), Round> {
        let witness = ctx.entity::<Account>(receipts(order + 1));
        // Whatever it answers: others have their turn meanwhile.
        let _ = witness.balance().await;
        ctx.emit(Moved::Out { order, amount });
        deliver(ctx, order, to, amount, How::Effect);
        if amount % 10 == 0 {
            return Err(Round);
        }
        Ok(())
    }

    #[command]
    fn take(&self, ctx: &mut Context<Self>, order: u64, amount: i64) {
        ctx.emit(Moved::In { order, amount });
    }

    #[query]
    fn balance(&self) -> i64 {
        self.balance
    }

    #[event_handler]
    fn apply(&mut self, event: &Moved) {
        match event {
            Moved::Out { amount, .. } => self.balance -= amount,
            Moved::In { amount, .. } => self.balance += amount,
        }
    }
}

/// Sends money on.
fn deliver<E: Behavior>(ctx: &mut Context<E>, order: u64, to: Purse, amount: i64, how: How) {
    match to.kind {
        PurseKind::Account => {
            let call = ctx.entity::<Account>(to.id()).take(order, amount);
            hand_over(ctx, order, how, call);
        }
        PurseKind::Vault => {
            let call = ctx.entity::<Vault>(to.id()).take(order, amount);
            hand_over(ctx, order, how, call);
        }
    }
}

fn hand_over<E: Behavior>(ctx: &mut Context<E>, order: u64, how: How, call: impl Deferrable) {
    match how {
        How::Effect | How::Async => ctx.effect(call),
        How::Waiting => ctx.effect_sync(call),
        How::Later(millis) => {
            ctx.schedule(
                format!("order {order}"),
                Duration::from_millis(millis),
                call,
            );
        }
    }
}

/// The account that keeps the mark of an order whose target keeps none.
pub(super) fn receipts(order: u64) -> String {
    format!("receipts-{}", order % 4)
}

/// A purse that is stored as a whole, and deleted now and then.
#[entity(crud, name = "vault")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::crash) struct Vault {
    balance: i64,
    /// Makes states of different lengths.
    note: String,
}

#[entity]
impl Vault {
    #[command]
    fn send(
        &mut self,
        ctx: &mut Context<Self>,
        order: u64,
        to: Purse,
        amount: i64,
        how: How,
    ) -> Result<(), Round> {
        self.balance -= amount;
        self.note = "x".repeat(usize::try_from(order % 50).unwrap_or(0));
        deliver(ctx, order, to, amount, how);
        if amount % 10 == 0 {
            return Err(Round);
        }
        Ok(())
    }

    #[command]
    fn take(&mut self, ctx: &mut Context<Self>, order: u64, amount: i64) {
        self.balance += amount;
        ctx.effect(ctx.entity::<Account>(receipts(order)).take(order, 0));
    }

    #[command]
    fn close(&mut self, ctx: &mut Context<Self>, order: u64) {
        ctx.effect(ctx.entity::<Account>("account-0").take(order, self.balance));
        ctx.delete();
    }

    #[query]
    fn balance(&self) -> i64 {
        self.balance
    }
}

/// Keeps the numbers of the orders that wrote into it, until it is purged.
#[entity(crud, name = "draft")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::crash) struct Draft {
    pub(super) orders: Vec<u64>,
}

#[entity]
impl Draft {
    #[command]
    fn write(&mut self, ctx: &mut Context<Self>, order: u64) {
        self.orders.push(order);
        ctx.effect(ctx.entity::<Account>(receipts(order)).take(order, 0));
    }

    #[query]
    fn orders(&self) -> Vec<u64> {
        self.orders.clone()
    }
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(in crate::crash) enum Beat {
    Started { at_millis: i64 },
    Beaten,
}

/// Milliseconds between two beats.
pub(super) const INTERVAL: i64 = 30;

/// A timer that never ends; none of its times is passed over.
#[entity(event_sourced, name = "metronome", snapshot_every = 20)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::crash) struct Metronome {
    beats: u64,
}

#[entity]
impl Metronome {
    #[command]
    fn start(&self, ctx: &mut Context<Self>) {
        let at_millis = ctx.now().as_millis();
        ctx.emit(Beat::Started { at_millis });
        let interval = Duration::from_millis(INTERVAL.unsigned_abs());
        let schedule = Schedule::every(interval).missed(Missed::Each);
        ctx.schedule("beat", schedule, ctx.me().beat());
    }

    #[command]
    fn beat(&self, ctx: &mut Context<Self>) {
        ctx.emit(Beat::Beaten);
    }

    #[query]
    fn beats(&self) -> u64 {
        self.beats
    }

    #[event_handler]
    fn apply(&mut self, event: &Beat) {
        self.beats += u64::from(*event == Beat::Beaten);
    }
}
