//! The plain model: what a list of facts amounts to, and what a command does to it.

use std::collections::BTreeMap;

use statefn::codec::Codec;
use statefn::store::{Entry, EntryBody};

use super::ledger::{Action, Fact, Short, View};

/// What the journal says of one entity.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    pub(crate) facts: Vec<Fact>,
    /// Keys with a record.
    pub(crate) keys: Vec<String>,
}

impl Truth {
    pub(crate) fn of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let mut truth = Self::default();
        for entry in entries {
            if let EntryBody::Event { event, .. } = &entry.body {
                assert_eq!(event.name, "Put", "only what applies is stored");
                let codec = Codec::from_id(event.codec).unwrap();
                truth.facts.push(codec.decode(&event.payload).unwrap());
                let count = truth.facts.len() as u64;
                assert_eq!(entry.sequence.get(), count, "numbered without gaps");
            }
            let record = entry.body.record();
            truth.keys.extend(record.map(|record| record.key.clone()));
        }
        truth
    }

    pub(crate) fn view(&self) -> View {
        view(&self.facts)
    }

    /// The state after the first so many facts.
    pub(crate) fn view_at(&self, count: u64) -> Option<View> {
        let count = usize::try_from(count).ok()?;
        self.facts.get(..count).map(view)
    }

    /// How many facts this command has left.
    pub(crate) fn facts_of(&self, serial: u32) -> usize {
        let own = self.facts.iter().filter(|fact| fact.serial == serial);
        own.count()
    }

    /// The state after the last fact of this command.
    pub(crate) fn view_after(&self, serial: u32) -> Option<View> {
        let last = self.facts.iter().rposition(|fact| fact.serial == serial)?;
        self.facts.get(..=last).map(view)
    }
}

/// Worked out anew from the whole list, with nothing kept from fact to fact.
fn view(facts: &[Fact]) -> View {
    let slots = facts.iter().map(|fact| fact.slot);
    let balances: BTreeMap<u8, i64> = slots
        .map(|slot| {
            let amounts = facts.iter().filter(|fact| fact.slot == slot);
            (slot, amounts.map(|fact| fact.amount).sum())
        })
        .collect();
    let weighed = facts.iter().rev().enumerate().map(|(age, fact)| {
        let age = u32::try_from(age).unwrap();
        u64::from(fact.serial).wrapping_mul(31_u64.wrapping_pow(age))
    });
    View {
        count: facts.len() as u64,
        balances,
        order: weighed.fold(0, u64::wrapping_add),
        last: facts.last().map(|fact| fact.serial),
    }
}

/// What a command comes to on a state.
#[derive(Debug)]
pub(crate) enum Outcome {
    Accepted(Vec<Fact>),
    Rejected(Short),
    Panicked,
}

/// How many facts a command leaves if it is accepted.
pub(crate) fn size(action: &Action) -> usize {
    match action {
        Action::Put { .. } => 1,
        Action::PutMany(puts) => puts.len(),
        Action::Nothing | Action::Panic | Action::Curse | Action::PanicReply => 0,
    }
}

pub(crate) fn decide(truth: &Truth, serial: u32, action: &Action) -> Outcome {
    let fact = |slot, amount| Fact {
        serial,
        slot,
        amount,
    };
    match action {
        Action::Put { slot, amount } => {
            let balance = truth.view().balance(*slot);
            if balance + amount < 0 {
                Outcome::Rejected(Short { balance })
            } else {
                Outcome::Accepted(vec![fact(*slot, *amount)])
            }
        }
        Action::PutMany(puts) => {
            let facts = puts.iter().map(|(slot, amount)| fact(*slot, *amount));
            Outcome::Accepted(facts.collect())
        }
        Action::Nothing => Outcome::Accepted(Vec::new()),
        Action::Panic | Action::Curse | Action::PanicReply => Outcome::Panicked,
    }
}
