//! What clerks were told of their orders.

use std::collections::BTreeMap;

use super::order::{Errand, Order, Outcome};
use crate::crash::book::Counts;
use crate::crash::breach::{Breach, BreachKind};

/// Everything known of the orders on one store.
#[derive(Debug, Default)]
pub(in crate::crash) struct Money {
    pub(super) orders: BTreeMap<u64, Known>,
    /// The orders that concern a clerk's draft, as they were given.
    pub(super) drafts: BTreeMap<u64, Vec<u64>>,
    unanswered: usize,
    pub(in crate::crash) counts: Counts,
}

/// One order, over all processes.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) order: Order,
    /// Done or refused, once its clerk was told.
    pub(super) told: Option<Outcome>,
    /// Whether an attempt since the last check may have done it.
    pub(super) open: bool,
    /// Whether it had taken place at the last check.
    pub(super) found: Option<bool>,
}

impl Known {
    pub(super) fn is_done(&self) -> bool {
        self.told == Some(Outcome::Done) || self.found == Some(true)
    }

    /// Whether it may have taken place.
    pub(super) fn may_be_done(&self) -> bool {
        let may = self.open && self.told != Some(Outcome::Refused);
        self.is_done() || (may && !self.order.errand.is_refused())
    }
}

impl Money {
    /// A new process has been started.
    pub(in crate::crash) fn new_process(&mut self) {
        self.unanswered = 0;
    }

    /// Whether every order has been answered.
    pub(in crate::crash) fn all_answered(&self) -> bool {
        self.unanswered == 0
    }

    pub(in crate::crash) fn ordered(&mut self, order: Order) {
        self.unanswered += 1;
        self.counts.sent += 1;
        let is_new = !self.orders.contains_key(&order.number);
        if is_new && matches!(order.errand, Errand::Write | Errand::Purge) {
            let draft = self.drafts.entry(order.clerk).or_default();
            draft.push(order.number);
        }
        let known = self.orders.entry(order.number).or_insert_with(|| Known {
            order,
            told: None,
            open: false,
            found: None,
        });
        known.open = true;
    }

    pub(in crate::crash) fn answered(
        &mut self,
        order: u64,
        outcome: Outcome,
    ) -> Result<(), Breach> {
        self.unanswered = self.unanswered.saturating_sub(1);
        let Some(known) = self.orders.get_mut(&order) else {
            let what = format!("order {order} was answered and never given");
            return Err(BreachKind::Odd.found(what));
        };
        let refuses = known.order.errand.is_refused();
        match (&outcome, &known.told) {
            (Outcome::Odd(why), _) => {
                return Err(BreachKind::Odd.found(format!("order {order}: {why}")));
            }
            (Outcome::Unknown, _) => {}
            (Outcome::NotApplied | Outcome::Stopped, _) => known.open = false,
            (Outcome::Done, _) if refuses => {
                let what = format!("order {order} was done, although it is refused");
                return Err(BreachKind::Odd.found(what));
            }
            (Outcome::Refused, _) if !refuses => {
                let what = format!("order {order} was refused without a reason");
                return Err(BreachKind::Odd.found(what));
            }
            (_, Some(_)) => self.counts.repeated += 1,
            (Outcome::Done, None) => {
                self.counts.acknowledged += 1;
                known.told = Some(outcome);
            }
            (Outcome::Refused, None) => {
                self.counts.refused += 1;
                known.told = Some(outcome);
            }
        }
        Ok(())
    }

    /// Orders to be given again under their keys: those whose fate nobody was told, and some of the others, as
    /// `chance` has it.
    pub(in crate::crash) fn again(&self, mut chance: impl FnMut() -> bool) -> Vec<Order> {
        let mut again = Vec::new();
        for (number, known) in &self.orders {
            let order = &known.order;
            let wanted = order.keyed && (known.told.is_none() || chance());
            // What is written later than what follows it would stand in another place.
            let draft = self.drafts.get(&order.clerk);
            let is_last = draft.and_then(|orders| orders.last()) == Some(number);
            let in_place = order.errand != Errand::Write || is_last || known.is_done();
            if wanted && in_place {
                let dropped = false;
                again.push(Order {
                    dropped,
                    ..order.clone()
                });
            }
        }
        again.truncate(100);
        again
    }
}
