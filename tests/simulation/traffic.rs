//! Everything at once: events, states, effects, timers, async commands, deletions and purges.

use std::time::Duration;

use statefn::testing::{Client, Dice, Faults, SimulatedCall, Simulation};

use crate::ledger::{self, Ledger};
use crate::shelf::{self, Shelf};
use crate::transfers::{Purse, PurseRef};

const PURSES: u64 = 5;
const PURGED: u64 = 3;

/// Purses between which money moves, beside ledgers and shelves some of which are purged. The wall clock jumps
/// by a minute at most, so that every timer has fired at the end.
pub(crate) fn simulation() -> Simulation {
    Simulation::of::<(Purse, Ledger, Shelf)>()
        .workload(call)
        .client(purge)
        .check(money_is_neither_made_nor_lost)
        .replies_wait_for(2)
        .faults(Faults {
            clock_jump_max: Duration::from_secs(60),
            ..Faults::ALL
        })
}

fn call(dice: &mut Dice) -> SimulatedCall {
    let number = dice.below(PURGED);
    match dice.below(10) {
        0 | 1 => shelf::call(format!("shelf {number}"), dice),
        2 | 3 => ledger::call_one(format!("ledger {number}"), dice),
        _ => transfer(dice),
    }
}

fn transfer(dice: &mut Dice) -> SimulatedCall {
    let (from, to) = (dice.below(PURSES), dice.below(PURSES));
    let (id, to) = (format!("purse {from}"), format!("purse {to}"));
    let amount = 1 + i64::try_from(dice.below(100)).unwrap_or(0);
    let millis = dice.below(3_000);
    match dice.below(100) {
        0..30 => SimulatedCall::new(id, move |purse: &PurseRef| purse.send(to.as_str(), amount)),
        30..45 => SimulatedCall::new(id, move |purse: &PurseRef| {
            purse.send_and_wait(to.as_str(), amount)
        }),
        45..70 => SimulatedCall::new(id, move |purse: &PurseRef| {
            purse.send_later(to.as_str(), amount, millis)
        }),
        70..80 => SimulatedCall::new(id, move |purse: &PurseRef| {
            purse.ask_and_send(to.as_str(), amount)
        }),
        _ => SimulatedCall::new(id, |purse: &PurseRef| purse.balance()),
    }
}

/// Purges ledgers and shelves, now and then.
async fn purge(mut client: Client) {
    for _ in 0..8 {
        let pause = Duration::from_millis(client.dice().below(400));
        client.sleep(pause).await;
        let number = client.dice().below(PURGED);
        // Whatever it answers: the simulation holds it against the journal.
        let _ = match client.dice().below(2) {
            0 => client.purge::<Ledger>(&format!("ledger {number}")).await,
            _ => client.purge::<Shelf>(&format!("shelf {number}")).await,
        };
    }
}

/// With all faults gone, every effect and every timer has taken place once.
async fn money_is_neither_made_nor_lost(client: Client) {
    client.sleep(Duration::from_secs(300)).await;
    let mut sum = 0;
    for number in 0..PURSES {
        let id = format!("purse {number}");
        let balance = client.call(id, |purse: &PurseRef| purse.balance()).await;
        assert!(balance.is_ok(), "nothing fails any more: {balance:?}");
        sum += balance.unwrap_or_default();
    }
    assert_eq!(sum, 0, "the sum of all purses");
}
