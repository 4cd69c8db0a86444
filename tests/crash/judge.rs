//! The life of a store in the words of the judge of all harnesses.

use std::collections::BTreeMap;

use statefn::SequenceNumber;
use statefn::testing::oracle::{self, Attempt, Saw, Violation, Written};

use super::breach::{Breach, BreachKind};
use super::journal::Journal;
use super::report::{Address, Answer, What, attempt_number};

/// Every attempt since the store was made, over all processes.
#[derive(Debug, Default)]
pub(super) struct History {
    attempts: Vec<Attempt>,
    /// Where the attempts without an answer are, by command and attempt.
    open: BTreeMap<(u64, u64), usize>,
    /// Counts lines, whose order is an order in which things may have happened.
    clock: u64,
}

impl History {
    pub(super) fn sent(&mut self, caller: u64, command: u64, attempt: u64, entity: Address) {
        self.clock += 1;
        self.open.insert((command, attempt), self.attempts.len());
        self.attempts.push(Attempt {
            number: attempt_number(command, attempt),
            command,
            caller,
            entity: entity.persistence_id(),
            called: self.clock,
            answered: None,
            saw: Saw::Nothing,
            digest: None,
        });
    }

    pub(super) fn answered(&mut self, command: u64, attempt: u64, what: &What, answer: &Answer) {
        self.clock += 1;
        let index = self.open.remove(&(command, attempt));
        let Some(sent) = index.and_then(|index| self.attempts.get_mut(index)) else {
            return;
        };
        let decided = |version| Saw::Decided {
            at: vec![SequenceNumber::new(version)],
        };
        sent.answered = Some(self.clock);
        sent.saw = match answer {
            Answer::Posted(view) => Saw::Applied {
                last: SequenceNumber::new(view.version),
                events: match what {
                    What::Post { amounts, .. } => amounts.len() as u64,
                    What::Look | What::Curse(_) => 0,
                },
            },
            Answer::Refused(view) | Answer::Seen(view) => decided(view.version),
            Answer::NotApplied(_) => Saw::NotApplied,
            Answer::Unknown | Answer::Odd(_) => Saw::Unknown,
        };
        sent.digest = match answer {
            Answer::Posted(view) => Some(view.digest),
            Answer::Refused(view) => Some(!view.digest),
            _ => None,
        };
    }

    /// What the judge finds.
    pub(super) fn judge(&self, journal: &Journal) -> Vec<Breach> {
        let written: Vec<Written> = journal.entries.iter().map(Written::of).collect();
        let violations = oracle::check(&self.attempts, &written);
        violations.iter().map(breach).collect()
    }
}

fn breach(violation: &Violation) -> Breach {
    let kind = match violation {
        Violation::Lost { .. } | Violation::Misplaced { .. } => BreachKind::Lost,
        Violation::Doubled { .. } => BreachKind::Doubled,
        Violation::Torn { .. } => BreachKind::Torn,
        Violation::Contradicted { .. } => BreachKind::Forgotten,
        Violation::Applied { .. } => BreachKind::Untrue,
        Violation::Early { .. } | Violation::Unexplained { .. } => BreachKind::Leaked,
        Violation::Stale { .. } | Violation::OutOfTurn { .. } => BreachKind::Disorder,
        Violation::Gap { .. } => BreachKind::Damaged,
        Violation::Waits { .. } => BreachKind::Silent,
        _ => BreachKind::Odd,
    };
    kind.found(violation.to_string())
}
