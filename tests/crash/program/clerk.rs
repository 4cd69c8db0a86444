//! A clerk: an order after the other, each reported before it is given and after it is answered.

use std::sync::Arc;

use statefn::PurgeError;
use statefn::prelude::*;
use statefn_store::testing::Dice;

use super::World;
use super::manner::{Dressed, Manner};
use crate::crash::money::{
    Account, DRAFT, Draft, Errand, How, METRONOMES, Metronome, Order, Outcome, Purse, PurseKind,
    Vault,
};
use crate::crash::report::{Report, key_of};

/// Purses of each kind.
const ACCOUNTS: u64 = 6;
const VAULTS: u64 = 4;

pub(super) struct Clerk {
    world: Arc<World>,
    dice: Dice,
    number: u64,
    clerks: u64,
    orders: u64,
}

impl Clerk {
    pub(super) fn new(world: Arc<World>, number: u64, clerks: u64) -> Self {
        let dice = Dice::new(world.assignment.seed.wrapping_add(number << 32));
        Self {
            world,
            dice,
            number,
            clerks,
            orders: 0,
        }
    }

    /// Works until the runtime has stopped.
    pub(super) async fn work(mut self) {
        if self.number < METRONOMES {
            let metronome = format!("metronome-{}", self.number);
            let metronome = self.world.runtime.entity::<Metronome>(metronome);
            // Answered or not: it beats or it does not.
            let _ = metronome.start().with_key("start").await;
        }
        let mine = self.world.assignment.orders.iter();
        let mine = mine.filter(|order| order.clerk == self.number);
        let mut again: Vec<Order> = mine.cloned().collect();
        again.sort_by_key(|order| order.number);
        let mut again = again.into_iter();
        loop {
            let order = again.next().unwrap_or_else(|| self.next_order());
            if self.give(order).await == Outcome::Stopped {
                return;
            }
        }
    }

    fn next_order(&mut self) -> Order {
        let number = self.orders * self.clerks + self.number;
        self.orders += 1;
        let errand = match self.dice.below(100) {
            0..4 => Errand::Close {
                vault: self.dice.below(VAULTS),
            },
            4..16 => Errand::Write,
            16..20 => Errand::Purge,
            _ => self.next_transfer(),
        };
        let moves = matches!(errand, Errand::Send { .. });
        let keyed = errand != Errand::Purge && self.dice.chance(400);
        Order {
            number: self.world.assignment.first_command + number,
            clerk: self.number,
            errand,
            keyed,
            dropped: moves && self.dice.chance(30),
        }
    }

    fn next_transfer(&mut self) -> Errand {
        let (from, to) = (self.next_purse(), self.next_purse());
        let how = match (self.dice.below(100), from.kind) {
            (0..15, _) => How::Waiting,
            (15..40, PurseKind::Account) => How::Later(self.dice.below(150)),
            (40..55, PurseKind::Account) => How::Async,
            _ => How::Effect,
        };
        Errand::Send {
            from,
            to,
            amount: self.dice.between(1..=100).cast_signed(),
            how,
        }
    }

    fn next_purse(&mut self) -> Purse {
        let (kind, purses) = match self.dice.below(3) {
            0 => (PurseKind::Vault, VAULTS),
            _ => (PurseKind::Account, ACCOUNTS),
        };
        let number = self.dice.below(purses);
        Purse { kind, number }
    }

    async fn give(&self, order: Order) -> Outcome {
        let voice = &self.world.voice;
        let number = order.number;
        voice.say(&Report::Ordered(order.clone()));
        let outcome = self.run(order).await;
        voice.say(&Report::Done {
            order: number,
            outcome: outcome.clone(),
        });
        outcome
    }

    async fn run(&self, order: Order) -> Outcome {
        let runtime = &self.world.runtime;
        let number = order.number;
        let dressed = Dressed {
            header: number.to_string(),
            key: order.keyed.then(|| key_of(number)),
            deadline: None,
            manner: if order.dropped {
                Manner::Leaves
            } else {
                Manner::Awaits
            },
        };
        let draft = format!("{DRAFT}{}", order.clerk);
        match order.errand {
            Errand::Send {
                from,
                to,
                amount,
                how,
            } => match (from.kind, how) {
                (PurseKind::Account, How::Async) => {
                    let account = runtime.entity::<Account>(from.id());
                    outcome(dressed.ask(account.send_slowly(number, to, amount)).await)
                }
                (PurseKind::Account, how) => {
                    let account = runtime.entity::<Account>(from.id());
                    outcome(dressed.ask(account.send(number, to, amount, how)).await)
                }
                (PurseKind::Vault, how) => {
                    let vault = runtime.entity::<Vault>(from.id());
                    outcome(dressed.ask(vault.send(number, to, amount, how)).await)
                }
            },
            Errand::Close { vault } => {
                let kind = PurseKind::Vault;
                let vault = Purse {
                    kind,
                    number: vault,
                };
                let vault = runtime.entity::<Vault>(vault.id());
                outcome(dressed.ask(vault.close(number)).await)
            }
            Errand::Write => {
                let draft = runtime.entity::<Draft>(draft);
                outcome(dressed.ask(draft.write(number)).await)
            }
            Errand::Purge => match runtime.purge::<Draft>(&draft).await {
                Ok(_) => Outcome::Done,
                Err(PurgeError::Deletion(error)) => outcome(Some(Err::<(), _>(error))),
                Err(_) => Outcome::Unknown,
            },
        }
    }
}

fn outcome<R, E: std::fmt::Debug>(heard: Option<Result<R, CallError<E>>>) -> Outcome {
    match heard {
        // Its reply was purged.
        Some(Ok(_) | Err(CallError::AlreadyApplied { .. })) => Outcome::Done,
        Some(Err(CallError::Rejected(_))) => Outcome::Refused,
        Some(Err(CallError::Stopped)) => Outcome::Stopped,
        Some(Err(CallError::Overloaded(_) | CallError::Timeout)) => Outcome::NotApplied,
        None | Some(Err(CallError::OutcomeUnknown { .. })) => Outcome::Unknown,
        Some(Err(error)) => Outcome::Odd(format!("{error:?}")),
    }
}
