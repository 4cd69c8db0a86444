//! Desks that hand their callers on, and clerks that answer them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

use crate::kit::World;

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) enum Seen {
    Caller { amount: i64 },
}

/// Counts its callers and hands them on.
#[entity(event_sourced, name = "desk")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Desk {
    callers: i64,
}

#[entity]
impl Desk {
    #[command]
    fn hand_on(
        &self,
        ctx: &mut Context<Self>,
        to: String,
        amount: i64,
    ) -> Result<Forward<i64, String>, String> {
        if amount == 0 {
            return Err("come back with something".to_owned());
        }
        ctx.emit(Seen::Caller { amount });
        Ok(ctx.forward(ctx.entity::<Clerk>(to).take(amount)))
    }

    /// Writes nothing.
    #[command]
    fn point(&self, ctx: &mut Context<Self>, to: String, amount: i64) -> Forward<i64, String> {
        ctx.forward(ctx.entity::<Clerk>(to).take(amount))
    }

    /// Answers by itself, now and then.
    #[command]
    fn maybe(&self, ctx: &mut Context<Self>, to: Option<String>) -> Forward<i64, String> {
        ctx.emit(Seen::Caller { amount: 0 });
        match to {
            Some(to) => ctx.forward(ctx.entity::<Clerk>(to).take(1)),
            None => Forward::reply(-1),
        }
    }

    #[command]
    fn hand_on_as(
        &self,
        ctx: &mut Context<Self>,
        to: String,
        key: String,
        millis: u64,
    ) -> Forward<i64, String> {
        ctx.emit(Seen::Caller { amount: 1 });
        let call = ctx.entity::<Clerk>(to).take(1).with_key(key);
        ctx.forward(call.with_deadline(Duration::from_millis(millis)))
    }

    /// From desk to desk, and to the clerk of that name at last.
    #[command]
    fn along(&self, ctx: &mut Context<Self>, mut path: Vec<String>) -> Forward<i64, String> {
        ctx.emit(Seen::Caller { amount: 1 });
        let next = path.remove(0);
        if path.is_empty() {
            ctx.forward(ctx.entity::<Clerk>(next).take(1))
        } else {
            ctx.forward(ctx.entity::<Desk>(next).along(path))
        }
    }

    #[command]
    async fn think_and_hand_on(
        &self,
        ctx: &mut Context<Self>,
        to: String,
        amount: i64,
    ) -> Result<Forward<i64, String>, String> {
        tokio::task::yield_now().await;
        ctx.emit(Seen::Caller { amount });
        Ok(ctx.forward(ctx.entity::<Clerk>(to).take_slowly(amount)))
    }

    #[command]
    fn trace(&self, ctx: &mut Context<Self>, to: String) -> Forward<Vec<String>> {
        ctx.emit(Seen::Caller { amount: 0 });
        let own = ctx.entity::<Clerk>(to).trace(ctx.command_id().to_string());
        ctx.forward(own.with_metadata("desk", "own"))
    }

    /// Has another desk see somebody, and does not wait for that.
    #[command]
    fn announce(&self, ctx: &mut Context<Self>, desk: String, to: String, amount: i64) {
        ctx.effect(ctx.entity::<Desk>(desk).hand_on(to, amount));
    }

    #[query]
    fn callers(&self) -> i64 {
        self.callers
    }

    #[event_handler]
    fn seen(&mut self, _: &Seen) {
        self.callers += 1;
    }
}

/// Takes what callers bring.
#[entity(crud, name = "clerk")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Clerk {
    total: i64,
}

#[entity]
impl Clerk {
    #[command]
    fn take(&mut self, amount: i64) -> Result<i64, String> {
        if amount == 13 {
            return Err("thirteen is refused".to_owned());
        }
        assert!(amount != 666, "a cursed amount");
        self.total += amount;
        Ok(self.total)
    }

    #[command]
    async fn take_slowly(&mut self, amount: i64) -> Result<i64, String> {
        tokio::task::yield_now().await;
        self.take(amount)
    }

    /// What it knows of where a call comes from, given the id of the forwarding command.
    #[command]
    fn trace(&mut self, ctx: &mut Context<Self>, by: String) -> Vec<String> {
        let caller = ctx.caller().map(ToString::to_string).unwrap_or_default();
        let is_cause = ctx.causation_id().is_some_and(|id| id.to_string() == by);
        let is_first = ctx.correlation_id().to_string() == by;
        let header = |name| ctx.metadata().get(name).unwrap_or("-").to_owned();
        vec![
            caller,
            is_cause.to_string(),
            is_first.to_string(),
            header("user"),
            header("desk"),
        ]
    }

    /// Asks a desk, which must not send the question back.
    #[command]
    async fn ask(&mut self, ctx: &mut Context<Self>, desk: String) -> Result<i64, String> {
        let me = ctx.id().to_owned();
        let answer = ctx.entity::<Desk>(desk).hand_on(me, 1).await;
        answer.map_err(|error| format!("{error:?}"))
    }

    /// Repeats a call that has led here.
    #[command]
    async fn ask_again(
        &mut self,
        ctx: &mut Context<Self>,
        desk: String,
        key: String,
    ) -> Result<i64, String> {
        let me = ctx.id().to_owned();
        let call = ctx.entity::<Desk>(desk).hand_on(me, 1).with_key(key);
        call.await.map_err(|error| format!("{error:?}"))
    }

    #[query]
    fn total(&self) -> i64 {
        self.total
    }
}

pub(crate) async fn office() -> World {
    World::build(statefn::Builder::only::<(Desk, Clerk)>).await
}

pub(crate) fn desk(world: &World, id: &str) -> DeskRef {
    world.runtime.entity::<Desk>(id)
}

/// How many callers a desk has seen and what a clerk has taken.
pub(crate) async fn books(world: &World, desk: &str, clerk: &str) -> (i64, i64) {
    let desk = world.runtime.entity::<Desk>(desk);
    let clerk = world.runtime.entity::<Clerk>(clerk);
    (desk.callers().await.unwrap(), clerk.total().await.unwrap())
}
