//! An entity that sends to others.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

use crate::kit::World;

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) enum Relayed {
    Moved { amount: i64 },
    Noted { number: i64 },
    Heard { user: String },
}

#[entity(event_sourced, name = "relay")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Relay {
    balance: i64,
    notes: Vec<i64>,
    heard: Vec<String>,
}

#[entity]
impl Relay {
    #[command]
    fn take(&self, ctx: &mut Context<Self>, amount: i64) -> Result<(), String> {
        if amount == 13 {
            return Err("thirteen is refused".to_owned());
        }
        assert!(amount != 666, "a cursed amount");
        ctx.emit(Relayed::Moved { amount });
        Ok(())
    }

    #[command]
    fn pass(&self, ctx: &mut Context<Self>, to: String, amount: i64) {
        ctx.emit(Relayed::Moved { amount: -amount });
        ctx.effect(ctx.entity::<Relay>(to).take(amount));
    }

    /// Writes nothing but the effect.
    #[command]
    fn only_pass(&self, ctx: &mut Context<Self>, to: String, amount: i64) {
        ctx.effect(ctx.entity::<Relay>(to).take(amount));
    }

    #[command]
    fn pass_and_wait(&self, ctx: &mut Context<Self>, to: String, amount: i64) -> Then<Self, i64> {
        ctx.emit(Relayed::Moved { amount: -amount });
        ctx.effect_sync(ctx.entity::<Relay>(to).take(amount));
        ctx.then(|relay| relay.balance)
    }

    #[command]
    fn pass_and_refuse(
        &self,
        ctx: &mut Context<Self>,
        to: String,
        amount: i64,
    ) -> Result<(), String> {
        ctx.effect(ctx.entity::<Relay>(to).take(amount));
        Err("no".to_owned())
    }

    #[command]
    fn pass_and_panic(&self, ctx: &mut Context<Self>, to: String, amount: i64) {
        ctx.effect(ctx.entity::<Relay>(to).take(amount));
        panic!("after the effect");
    }

    #[command]
    fn note(&self, ctx: &mut Context<Self>, number: i64) {
        ctx.emit(Relayed::Noted { number });
    }

    #[command]
    fn note_at(&self, ctx: &mut Context<Self>, to: String, first: i64, count: i64) {
        for number in first..first + count {
            ctx.effect(ctx.entity::<Relay>(to.as_str()).note(number));
        }
    }

    #[command]
    fn hear(&self, ctx: &mut Context<Self>) {
        let user = ctx.metadata().get("user").unwrap_or("nobody").to_owned();
        ctx.emit(Relayed::Heard { user });
    }

    #[command]
    fn tell(&self, ctx: &mut Context<Self>, to: String) {
        let user = ctx.metadata().get("user").unwrap_or("nobody").to_owned();
        let call = ctx.entity::<Relay>(to).hear();
        ctx.effect(call.with_metadata("user", user));
    }

    /// Sends itself on and on.
    #[command]
    fn ping(&self, ctx: &mut Context<Self>, to: String) {
        ctx.emit(Relayed::Moved { amount: 1 });
        let back = ctx.id().to_owned();
        ctx.effect(ctx.entity::<Relay>(to).ping(back));
    }

    #[query]
    fn balance(&self) -> i64 {
        self.balance
    }

    #[query]
    fn notes(&self) -> Vec<i64> {
        self.notes.clone()
    }

    #[query]
    fn heard(&self) -> Vec<String> {
        self.heard.clone()
    }

    #[event_handler]
    fn apply(&mut self, event: &Relayed) {
        match event {
            Relayed::Moved { amount } => self.balance += amount,
            Relayed::Noted { number } => self.notes.push(*number),
            Relayed::Heard { user } => self.heard.push(user.clone()),
        }
    }
}

/// A world of relays.
pub(crate) async fn relay() -> World {
    World::build(statefn::Builder::only::<(Relay,)>).await
}

pub(crate) async fn balances<const N: usize>(world: &World, ids: [&str; N]) -> [i64; N] {
    let mut balances = [0; N];
    for (balance, id) in balances.iter_mut().zip(ids) {
        *balance = world.runtime.entity::<Relay>(id).balance().await.unwrap();
    }
    balances
}
