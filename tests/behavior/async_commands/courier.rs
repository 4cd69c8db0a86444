//! An entity whose async commands wait as long as the test likes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::{Builder, Limits};
use tokio::sync::Semaphore;

use crate::account::Account;
use crate::kit::{World, settle};

/// The test's end of the async commands of one courier, under a name that no other test uses.
pub(super) struct Door {
    arrived: AtomicUsize,
    left: AtomicUsize,
    open: Semaphore,
}

impl Door {
    pub(super) fn of(id: &str) -> Arc<Self> {
        static DOORS: LazyLock<Mutex<HashMap<String, Arc<Door>>>> = LazyLock::new(Mutex::default);
        let mut doors = DOORS.lock().unwrap_or_else(PoisonError::into_inner);
        let door = doors.entry(id.to_owned()).or_insert_with(|| {
            Arc::new(Self {
                arrived: AtomicUsize::new(0),
                left: AtomicUsize::new(0),
                open: Semaphore::new(0),
            })
        });
        Arc::clone(door)
    }

    /// Lets one command through, now or when it comes.
    pub(super) fn open(&self) {
        self.open.add_permits(1);
    }

    /// How many have come to it, after all that can run has run.
    pub(super) async fn arrived(&self) -> usize {
        settle().await;
        self.arrived.load(Ordering::SeqCst)
    }

    /// How many stand at it no longer, whether they went through or were dropped.
    pub(super) async fn left(&self) -> usize {
        settle().await;
        self.left.load(Ordering::SeqCst)
    }

    pub(super) async fn pass(&self) {
        struct Leaves<'a>(&'a AtomicUsize);
        impl Drop for Leaves<'_> {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        self.arrived.fetch_add(1, Ordering::SeqCst);
        let _leaves = Leaves(&self.left);
        self.open.acquire().await.unwrap().forget();
    }
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(super) enum Errand {
    Noted { number: i64 },
    Carried { amount: i64, total: i64 },
}

#[entity(event_sourced, name = "courier", snapshot_every = 2)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Courier {
    notes: Vec<i64>,
}

#[entity]
impl Courier {
    #[command]
    fn note(&self, ctx: &mut Context<Self>, number: i64) {
        ctx.emit(Errand::Noted { number });
    }

    /// Emits on both sides of a wait.
    #[command]
    async fn wait_and_note(&self, ctx: &mut Context<Self>, number: i64) -> Then<Self, Vec<i64>> {
        ctx.emit(Errand::Noted { number });
        Door::of(ctx.id()).pass().await;
        ctx.emit(Errand::Noted { number: -number });
        ctx.then(|courier| courier.notes.clone())
    }

    #[command]
    async fn wait_and_refuse(&self, ctx: &mut Context<Self>) -> Result<(), String> {
        ctx.emit(Errand::Noted { number: 1 });
        Door::of(ctx.id()).pass().await;
        Err("no".to_owned())
    }

    #[command]
    async fn wait_and_panic(&self, ctx: &mut Context<Self>) {
        ctx.emit(Errand::Noted { number: 1 });
        Door::of(ctx.id()).pass().await;
        panic!("dropped the parcel");
    }

    /// Adds to an account and notes what is there then.
    #[command]
    async fn carry(&self, ctx: &mut Context<Self>, to: String, amount: i64) -> Result<i64, String> {
        let account = ctx.entity::<Account>(to);
        let total = account.add(amount).await.map_err(|e| e.to_string())?;
        ctx.emit(Errand::Carried { amount, total });
        Ok(total)
    }

    /// Sends the next courier of a list on, which sends the next one.
    #[command]
    async fn send(&self, ctx: &mut Context<Self>, to: Vec<String>) -> Result<usize, String> {
        let Some((next, rest)) = to.split_first() else {
            return Ok(0);
        };
        let courier = ctx.entity::<Self>(next.as_str());
        let sent = courier.send(rest.to_vec()).await;
        Ok(1 + sent.map_err(|e| e.to_string())?)
    }

    /// Lets another courier note something, exactly once, when this has committed.
    #[command]
    async fn wait_and_pass_on(&self, ctx: &mut Context<Self>, to: String) -> Result<(), String> {
        ctx.effect(ctx.entity::<Self>(to.as_str()).wait_and_note(5));
        Door::of(ctx.id()).pass().await;
        ctx.emit(Errand::Noted { number: 4 });
        if to.is_empty() {
            return Err("to whom?".to_owned());
        }
        Ok(())
    }

    /// Asks a courier, perhaps itself, for its notes while it waits.
    #[command]
    async fn ask(&self, ctx: &mut Context<Self>, id: String) -> Result<usize, String> {
        let notes = ctx.entity::<Self>(id).notes().await;
        notes.map(|notes| notes.len()).map_err(|e| format!("{e:?}"))
    }

    /// What the context says of a call: its caller, and the ids of three commands.
    #[command]
    fn seen(&self, ctx: &mut Context<Self>) -> (Option<String>, [Option<String>; 3]) {
        let id = |id: statefn::CommandId| Some(id.to_string());
        let ids = [
            id(ctx.command_id()),
            ctx.causation_id().and_then(id),
            id(ctx.correlation_id()),
        ];
        (ctx.caller().map(ToString::to_string), ids)
    }

    /// What another courier sees of a call by this one, and this one's own ids.
    #[command]
    async fn seen_by(
        &self,
        ctx: &mut Context<Self>,
        id: String,
    ) -> Result<(String, (Option<String>, [Option<String>; 3])), String> {
        let seen = ctx.entity::<Self>(id).seen().await;
        let own = ctx.command_id().to_string();
        Ok((own, seen.map_err(|e| e.to_string())?))
    }

    #[query]
    fn notes(&self) -> Vec<i64> {
        self.notes.clone()
    }

    #[event_handler]
    fn apply(&mut self, event: &Errand) {
        match event {
            Errand::Noted { number } => self.notes.push(*number),
            Errand::Carried { amount, .. } => self.notes.push(*amount),
        }
    }
}

/// A world of couriers and accounts.
pub(super) async fn world() -> World {
    world_with(Limits::default()).await
}

/// The same with other limits.
pub(super) async fn world_with(limits: Limits) -> World {
    let shape = |builder: Builder| builder.only::<(Account, Courier)>().shards(1);
    World::build(|builder| shape(builder).limits(limits)).await
}

/// The courier `id` in it.
pub(super) fn courier(world: &World, id: &str) -> CourierRef {
    world.runtime.entity::<Courier>(id)
}
