//! Effects and timers under every fault that a seed can think of: money moves by them alone, so its
//! sum says whether each took place exactly once.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::store::{Memory, OutboxNumber, Store, Timestamp};
use statefn::testing::{Dice, VirtualClock};
use statefn_store::testing::{FaultRates, Faulty};

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) enum Moved {
    By { amount: i64 },
}

#[entity(event_sourced, name = "purse", snapshot_every = 5)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Purse {
    balance: i64,
    sent: u64,
}

#[entity]
impl Purse {
    #[command]
    fn take(&self, ctx: &mut Context<Self>, amount: i64) {
        ctx.emit(Moved::By { amount });
    }

    /// Says no to round amounts, once it has asked for its effect.
    #[command]
    fn send(&self, ctx: &mut Context<Self>, to: String, amount: i64) -> Result<(), String> {
        ctx.emit(Moved::By { amount: -amount });
        ctx.effect(ctx.entity::<Purse>(to).take(amount));
        refuse_round(amount)
    }

    /// Its reply waits for the other purse.
    #[command]
    fn send_and_wait(
        &self,
        ctx: &mut Context<Self>,
        to: String,
        amount: i64,
    ) -> Result<Then<Self, i64>, String> {
        ctx.emit(Moved::By { amount: -amount });
        ctx.effect_sync(ctx.entity::<Purse>(to).take(amount));
        refuse_round(amount)?;
        Ok(ctx.then(|purse| purse.balance))
    }

    /// Asks the other purse before it sends.
    #[command]
    async fn ask_and_send(
        &self,
        ctx: &mut Context<Self>,
        to: String,
        amount: i64,
    ) -> Result<(), String> {
        let other = ctx.entity::<Purse>(to.as_str()).balance().await;
        let seen = other.map_err(|error| error.to_string())?;
        if seen > 10_000 {
            return Err(format!("{seen} is enough"));
        }
        ctx.emit(Moved::By { amount: -amount });
        ctx.effect(ctx.entity::<Purse>(to).take(amount));
        refuse_round(amount)
    }

    /// Sends, when its time has come.
    #[command]
    fn send_later(
        &self,
        ctx: &mut Context<Self>,
        to: String,
        amount: i64,
        millis: u64,
    ) -> Result<(), String> {
        ctx.emit(Moved::By { amount: -amount });
        let name = format!("transfer {}", self.sent);
        let wait = Duration::from_millis(millis);
        ctx.schedule(name, wait, ctx.entity::<Purse>(to).take(amount));
        refuse_round(amount)
    }

    #[query]
    fn balance(&self) -> i64 {
        self.balance
    }

    #[event_handler]
    fn apply(&mut self, event: &Moved) {
        let Moved::By { amount } = event;
        self.balance += amount;
        self.sent += u64::from(*amount < 0);
    }
}

fn refuse_round(amount: i64) -> Result<(), String> {
    if amount % 10 == 0 {
        return Err(format!("{amount} is a round amount"));
    }
    Ok(())
}

const PURSES: u64 = 4;
const STEPS: u64 = 60;

fn rates() -> FaultRates {
    FaultRates {
        commit_fails: 40,
        commit_unknown_applied: 40,
        commit_unknown_not_applied: 40,
        commit_refused: 40,
        commit_repeated: 20,
        load_fails: 20,
        ..FaultRates::NONE
    }
}

/// What a run did, so that it is not nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    pub(crate) accepted: u64,
    pub(crate) unknown: u64,
    pub(crate) crashes: u64,
}

/// Moves money about under faults, lets everything come to rest, and counts it.
pub(crate) fn run(seed: u64) -> Result<Done, String> {
    let tokio = tokio::runtime::Builder::new_current_thread().build();
    let tokio = tokio.map_err(|error| error.to_string())?;
    tokio.block_on(moves(seed))
}

async fn moves(seed: u64) -> Result<Done, String> {
    let mut dice = Dice::new(seed);
    let (store, clock) = (Faulty::new(Memory::new()), VirtualClock::new());
    let builder = Runtime::builder().store(store.clone()).env(clock.clone());
    let built = builder.only::<(Purse,)>().build().await;
    let runtime = built.map_err(|error| error.to_string())?;
    store.by_seed(seed, rates());
    let mut done = Done::default();
    for _ in 0..STEPS {
        let (from, to) = (dice.below(PURSES), dice.below(PURSES).to_string());
        let purse = runtime.entity::<Purse>(from.to_string());
        let amount = 1 + i64::try_from(dice.below(100)).unwrap_or(0);
        let answer = if dice.below(3) == 0 {
            purse.send_later(to, amount, dice.below(3_000)).await
        } else {
            purse.send(to, amount).await
        };
        match answer {
            Ok(()) => done.accepted += 1,
            Err(CallError::OutcomeUnknown { .. }) => done.unknown += 1,
            Err(_) => {}
        }
        rest(dice.below(20)).await;
        if dice.below(8) == 0 {
            clock.advance(Duration::from_millis(dice.below(2_000)));
        }
        if dice.below(12) == 0 {
            done.crashes += 1;
            let _ = runtime.crash().await;
        }
    }
    store.heal();
    runtime.crash().await.map_err(|error| error.to_string())?;
    for _ in 0..40 {
        clock.advance(Duration::from_secs(61));
        rest(200).await;
    }
    judge(&runtime, &store).await.map(|()| done)
}

/// Lets tasks run.
async fn rest(turns: u64) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}

async fn judge(runtime: &Runtime, store: &Faulty) -> Result<(), String> {
    let mut sum = 0;
    for id in 0..PURSES {
        let balance = runtime.entity::<Purse>(id.to_string()).balance().await;
        sum += balance.map_err(|error| error.to_string())?;
    }
    if sum != 0 {
        return Err(format!("the sum of all purses is {sum}, not 0"));
    }
    let effects = store.effects(OutboxNumber::ZERO, 10).await;
    let timers = store.timers(Timestamp::from_millis(i64::MAX), 10).await;
    let dead = store.dead_letters(OutboxNumber::ZERO, 10).await;
    let (Ok(effects), Ok(timers), Ok(dead)) = (effects, timers, dead) else {
        return Err("the store cannot be read".to_owned());
    };
    if !(effects.is_empty() && timers.is_empty() && dead.is_empty()) {
        return Err(format!("left over: {effects:?} {timers:?} {dead:?}"));
    }
    Ok(())
}

#[test]
fn effects_and_timers_take_place_exactly_once_in_every_seed() {
    let seeds = crate::number("STATEFN_SEEDS").unwrap_or(200);
    let first = crate::number("STATEFN_FIRST_SEED").unwrap_or(0);
    let mut total = Done::default();
    for seed in first..first + seeds {
        let done = run(seed).unwrap_or_else(|reason| panic!("seed {seed}: {reason}"));
        total.accepted += done.accepted;
        total.unknown += done.unknown;
        total.crashes += done.crashes;
    }
    println!("{total:?}");
    assert!(
        total.accepted > 0 && total.unknown > 0 && total.crashes > 0,
        "{total:?}"
    );
}
