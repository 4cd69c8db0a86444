//! A CRUD entity that is simulated: changes that are rolled back, deletions, and what comes after.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::testing::{Dice, SimulatedCall};

use crate::ledger::PLANNED;

#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[error("{weight} is too much")]
pub(crate) struct TooHeavy {
    weight: u64,
}

#[entity(crud, name = "shelf")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shelf {
    weight: u64,
    /// A digest of all that was put there, in its order.
    digest: u64,
    changed_millis: i64,
}

#[entity]
impl Shelf {
    /// Puts something there, and notices afterwards that it was too much.
    #[command]
    fn put(&mut self, ctx: &mut Context<Self>, weight: u64) -> Result<(u64, u64), TooHeavy> {
        self.weight += weight;
        self.changed_millis = ctx.now().as_millis();
        self.digest = (self.digest ^ weight ^ self.changed_millis.unsigned_abs())
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(5);
        if self.weight > 40 {
            return Err(TooHeavy {
                weight: self.weight,
            });
        }
        Ok((self.weight, self.digest))
    }

    /// Puts something there and takes it away: nothing is stored.
    #[command]
    fn touch(&mut self) -> u64 {
        self.weight += 1;
        self.weight -= 1;
        self.weight
    }

    /// Takes the shelf down, and answers what is left.
    #[command]
    fn take_down(&mut self, ctx: &mut Context<Self>) -> Then<Self, (u64, u64)> {
        ctx.delete();
        let before = self.digest;
        self.weight = 1_000;
        ctx.then(move |shelf| (before, shelf.weight))
    }

    /// Puts something there, and panics before it is done.
    #[command]
    fn stumble(&mut self) {
        self.weight = 1_000_000;
        panic!("{PLANNED}");
    }

    #[query]
    fn look(&self) -> (u64, u64, i64) {
        (self.weight, self.digest, self.changed_millis)
    }
}

/// A call to one of the shelves.
pub(crate) fn call(id: String, dice: &mut Dice) -> SimulatedCall {
    let weight = dice.below(12);
    match dice.below(100) {
        0..50 => SimulatedCall::new(id, move |shelf: &ShelfRef| shelf.put(weight)),
        50..58 => SimulatedCall::new(id, |shelf: &ShelfRef| shelf.touch()),
        58..70 => SimulatedCall::new(id, |shelf: &ShelfRef| shelf.take_down()),
        70..72 => SimulatedCall::new(id, |shelf: &ShelfRef| shelf.stumble()),
        _ => SimulatedCall::new(id, |shelf: &ShelfRef| shelf.look()),
    }
}
