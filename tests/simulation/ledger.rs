//! The entity that is simulated: whatever order, loss or repetition there is shows in its answers.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::testing::{Dice, SimulatedCall, Simulation};

use crate::shelf::{self, Shelf};

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) enum Entry {
    Booked { amount: i64, at_millis: i64 },
}

#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[error("only {total} is there")]
pub(crate) struct Overdrawn {
    total: i64,
}

#[entity(event_sourced, name = "ledger", snapshot_every = 4)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    total: i64,
    /// A digest of all entries in their order.
    digest: u64,
    entries: u64,
}

#[entity]
impl Ledger {
    /// Books an amount; the total never falls below zero.
    #[command]
    fn book(
        &self,
        ctx: &mut Context<Self>,
        amount: i64,
    ) -> Result<Then<Self, (i64, u64)>, Overdrawn> {
        if self.total + amount < 0 {
            return Err(Overdrawn { total: self.total });
        }
        let at_millis = ctx.now().as_millis();
        ctx.emit(Entry::Booked { amount, at_millis });
        Ok(ctx.then(|ledger| (ledger.total, ledger.digest)))
    }

    /// Several entries at once, or none.
    #[command]
    fn book_all(&self, ctx: &mut Context<Self>, amounts: Vec<i64>) -> Then<Self, u64> {
        let at_millis = ctx.now().as_millis();
        for amount in amounts {
            ctx.emit(Entry::Booked { amount, at_millis });
        }
        ctx.then(|ledger| ledger.digest)
    }

    /// The last entry, and the end.
    #[command]
    fn close(&self, ctx: &mut Context<Self>) -> Then<Self, (i64, u64)> {
        let (amount, at_millis) = (-self.total, ctx.now().as_millis());
        ctx.emit(Entry::Booked { amount, at_millis });
        ctx.delete();
        let before = self.total;
        ctx.then(move |ledger| (before, ledger.digest))
    }

    /// A command without events.
    #[command]
    fn look(&self) -> (i64, u64) {
        (self.total, self.digest)
    }

    /// Books, and panics before it is done.
    #[command]
    fn stumble(&self, ctx: &mut Context<Self>) {
        ctx.emit(Entry::Booked {
            amount: 1_000_000,
            at_millis: 0,
        });
        panic!("{PLANNED}");
    }

    #[query]
    fn digest(&self) -> (u64, u64) {
        (self.digest, self.entries)
    }

    #[query]
    fn at_least(&self, amount: i64) -> Result<i64, Overdrawn> {
        if self.total < amount {
            return Err(Overdrawn { total: self.total });
        }
        Ok(self.total)
    }

    #[event_handler]
    fn apply(&mut self, event: &Entry) {
        let Entry::Booked { amount, at_millis } = event;
        self.total += amount;
        self.entries += 1;
        self.digest = (self.digest ^ amount.unsigned_abs() ^ at_millis.unsigned_abs())
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(5);
    }
}

/// What a planned panic says.
pub(crate) const PLANNED: &str = "a planned panic";

const ENTITIES: u64 = 20;

/// The default harness: 500 calls to 20 ledgers and shelves, a few of them popular.
pub(crate) fn simulation() -> Simulation {
    Simulation::of::<(Ledger, Shelf)>().workload(call)
}

fn call(dice: &mut Dice) -> SimulatedCall {
    let most = if dice.chance(500) { 3 } else { ENTITIES };
    let number = dice.below(most);
    if dice.chance(300) {
        return shelf::call(format!("shelf {number}"), dice);
    }
    call_one(format!("ledger {number}"), dice)
}

/// A call to one of the ledgers.
pub(crate) fn call_one(id: String, dice: &mut Dice) -> SimulatedCall {
    let amount = i64::try_from(dice.below(20)).unwrap_or(0);
    match dice.below(100) {
        0..45 => SimulatedCall::new(id, move |ledger: &LedgerRef| ledger.book(amount)),
        45..60 => SimulatedCall::new(id, move |ledger: &LedgerRef| ledger.book(-3 * amount)),
        60..68 => {
            let amounts: Vec<i64> = (1..4).take(dice.index(4)).collect();
            SimulatedCall::new(id, move |ledger: &LedgerRef| {
                ledger.book_all(amounts.clone())
            })
        }
        68..72 => SimulatedCall::new(id, |ledger: &LedgerRef| ledger.look()),
        72..74 => SimulatedCall::new(id, |ledger: &LedgerRef| ledger.close()),
        74..76 => SimulatedCall::new(id, |ledger: &LedgerRef| ledger.stumble()),
        76..90 => SimulatedCall::new(id, |ledger: &LedgerRef| ledger.digest()),
        _ => SimulatedCall::new(id, move |ledger: &LedgerRef| ledger.at_least(5 * amount)),
    }
}
