//! Forwards under every fault that a seed can think of: each keyed call is sent until it is answered, and
//! then the forwarder and the target have run once for it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::store::Memory;
use statefn::testing::{Dice, VirtualClock};
use statefn_store::testing::{FaultRates, Faulty};

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) enum Passed {
    Through { amount: i64 },
}

#[entity(event_sourced, name = "turnstile", snapshot_every = 5)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Turnstile {
    passed: i64,
}

#[entity]
impl Turnstile {
    /// To the till at once, or by way of another turnstile.
    #[command]
    fn pass(
        &self,
        ctx: &mut Context<Self>,
        over: Option<String>,
        till: String,
        amount: i64,
    ) -> Forward<i64, String> {
        ctx.emit(Passed::Through { amount });
        match over {
            Some(next) => ctx.forward(ctx.entity::<Self>(next).pass(None, till, amount)),
            None => ctx.forward(ctx.entity::<Till>(till).pay(amount)),
        }
    }

    #[query]
    fn passed(&self) -> i64 {
        self.passed
    }

    #[event_handler]
    fn apply(&mut self, event: &Passed) {
        let Passed::Through { amount } = event;
        self.passed += amount;
    }
}

#[entity(crud, name = "till")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Till {
    total: i64,
}

#[entity]
impl Till {
    #[command]
    fn pay(&mut self, amount: i64) -> Result<i64, String> {
        if amount % 10 == 3 {
            return Err("no".to_owned());
        }
        self.total += amount;
        Ok(self.total)
    }

    #[query]
    fn total(&self) -> i64 {
        self.total
    }
}

const PLACES: u64 = 3;
const STEPS: u64 = 40;

fn rates() -> FaultRates {
    FaultRates {
        commit_fails: 60,
        commit_unknown_applied: 60,
        commit_unknown_not_applied: 60,
        commit_refused: 40,
        commit_repeated: 20,
        load_fails: 20,
        find_record_fails: 20,
        ..FaultRates::NONE
    }
}

/// One call with its key.
struct Errand {
    key: String,
    from: String,
    over: Option<String>,
    till: String,
    amount: i64,
    answer: Option<Result<i64, String>>,
}

/// What a run did, so that it is not nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    pub(crate) answered: u64,
    pub(crate) followed: u64,
    pub(crate) refused: u64,
}

/// Sends calls under faults, repeats them until each is answered, and counts.
pub(crate) fn run(seed: u64) -> Result<Done, String> {
    let tokio = tokio::runtime::Builder::new_current_thread().build();
    let tokio = tokio.map_err(|error| error.to_string())?;
    tokio.block_on(passes(seed))
}

async fn passes(seed: u64) -> Result<Done, String> {
    let mut dice = Dice::new(seed);
    let (store, clock) = (Faulty::new(Memory::new()), VirtualClock::new());
    let builder = Runtime::builder().store(store.clone()).env(clock.clone());
    let built = builder.only::<(Turnstile, Till)>().build().await;
    let runtime = built.map_err(|error| error.to_string())?;
    store.by_seed(seed, rates());
    let mut done = Done::default();
    let mut errands: Vec<Errand> = Vec::new();
    for number in 0..STEPS {
        let mut place = || dice.below(PLACES).to_string();
        let (from, over, till) = (place(), place(), place());
        errands.push(Errand {
            key: number.to_string(),
            over: (over != from).then_some(over),
            from,
            till,
            amount: 1 + i64::try_from(dice.below(100)).unwrap_or(0),
            answer: None,
        });
        // A new one, or one that was sent before.
        for _ in 0..=dice.below(2) {
            let index = usize::try_from(dice.below(errands.len() as u64)).unwrap_or(0);
            let last = errands.len() - 1;
            let index = if dice.below(2) == 0 { last } else { index };
            if let Some(errand) = errands.get_mut(index) {
                send(&runtime, errand, &mut done).await?;
            }
        }
        if dice.below(8) == 0 {
            clock.advance(Duration::from_millis(dice.below(2_000)));
        }
        if dice.below(10) == 0 {
            let _ = runtime.crash().await;
        }
    }
    store.heal();
    runtime.crash().await.map_err(|error| error.to_string())?;
    for errand in &mut errands {
        send(&runtime, errand, &mut done).await?;
        if errand.answer.is_none() {
            return Err(format!("{} is not answered", errand.key));
        }
    }
    judge(&runtime, &errands).await.map(|()| done)
}

/// Sends a call once; all its answers must be the same.
async fn send(runtime: &Runtime, errand: &mut Errand, done: &mut Done) -> Result<(), String> {
    let turnstile = runtime.entity::<Turnstile>(errand.from.as_str());
    let (over, till) = (errand.over.clone(), errand.till.as_str());
    let call = turnstile.pass(over, till, errand.amount);
    let answer = match call.with_key(errand.key.as_str()).await {
        Ok(total) => Ok(total),
        Err(error) => {
            let Some(no) = error.rejection() else {
                done.followed += u64::from(matches!(error, CallError::Forwarded(_)));
                return Ok(());
            };
            Err(no.clone())
        }
    };
    match &errand.answer {
        Some(first) if *first != answer => {
            let key = &errand.key;
            return Err(format!("{key} was answered {first:?} and {answer:?}"));
        }
        Some(_) => {}
        None => {
            done.answered += 1;
            done.refused += u64::from(answer.is_err());
        }
    }
    errand.answer = Some(answer);
    Ok(())
}

async fn judge(runtime: &Runtime, errands: &[Errand]) -> Result<(), String> {
    let mut passed = BTreeMap::<&str, i64>::new();
    let mut paid = BTreeMap::<&str, i64>::new();
    for errand in errands {
        let way = [Some(errand.from.as_str()), errand.over.as_deref()];
        for turnstile in way.into_iter().flatten() {
            *passed.entry(turnstile).or_default() += errand.amount;
        }
        if matches!(errand.answer, Some(Ok(_))) {
            *paid.entry(&errand.till).or_default() += errand.amount;
        }
    }
    for (id, amount) in passed {
        let there = runtime.entity::<Turnstile>(id).passed().await;
        if there != Ok(amount) {
            return Err(format!("turnstile {id}: {there:?} and not {amount}"));
        }
    }
    for (id, amount) in paid {
        let there = runtime.entity::<Till>(id).total().await;
        if there != Ok(amount) {
            return Err(format!("till {id}: {there:?} and not {amount}"));
        }
    }
    Ok(())
}

#[test]
fn p6_forwards_take_place_once_in_every_seed() {
    let seeds = crate::number("STATEFN_SEEDS").unwrap_or(100);
    let first = crate::number("STATEFN_FIRST_SEED").unwrap_or(0);
    let mut total = Done::default();
    for seed in first..first + seeds {
        let done = run(seed).unwrap_or_else(|reason| panic!("seed {seed}: {reason}"));
        total.answered += done.answered;
        total.followed += done.followed;
        total.refused += done.refused;
    }
    println!("{total:?}");
    assert!(
        total.answered > 0 && total.followed > 0 && total.refused > 0,
        "{total:?}"
    );
}
