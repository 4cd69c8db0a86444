//! The judgment.

use std::collections::BTreeMap;

use statefn_store::SequenceNumber;

use super::attempt::{Attempt, Saw};
use super::bounds::Bounds;
use super::violation::Violation;
use super::written::{Block, Blocks, Written, gaps};

/// Every promise that was not kept, in no particular order; empty for a good run.
///
/// `journal` holds every entry of the store, in order of offset, as it is after the run.
///
/// ```
/// use statefn::testing::oracle::{Attempt, Saw, Violation, check};
/// use statefn::{PersistenceId, SequenceNumber};
///
/// let attempt = Attempt {
///     number: 1,
///     command: 1,
///     caller: 1,
///     entity: PersistenceId::new("counter", "visits"),
///     called: 1,
///     answered: Some(2),
///     saw: Saw::Applied { last: SequenceNumber::new(1), events: 1 },
///     digest: None,
/// };
/// // It was acknowledged, and the journal is empty.
/// assert!(matches!(check(&[attempt], &[])[..], [Violation::Lost { attempt: 1, .. }]));
/// ```
pub fn check(attempts: &[Attempt], journal: &[Written]) -> Vec<Violation> {
    let mut violations = gaps(journal);
    let blocks = Blocks::of(journal);
    let bounds = Bounds::of(attempts, journal);
    let commands = Commands::of(attempts);
    for attempt in attempts {
        let judge = Judge {
            attempt,
            blocks: &blocks,
            bounds: &bounds,
            commands: &commands,
        };
        violations.extend(judge.answer());
        violations.extend(judge.effect());
    }
    violations.extend(commands.doubled(&blocks));
    violations.extend(commands.contradicted());
    violations.extend(out_of_turn(attempts, &blocks));
    violations
}

/// Attempts by command.
struct Commands<'a>(BTreeMap<u64, Vec<&'a Attempt>>);

impl<'a> Commands<'a> {
    fn of(attempts: &'a [Attempt]) -> Self {
        let mut commands: BTreeMap<u64, Vec<&Attempt>> = BTreeMap::new();
        for attempt in attempts {
            commands.entry(attempt.command).or_default().push(attempt);
        }
        Self(commands)
    }

    fn attempts(&self, command: u64) -> &[&'a Attempt] {
        self.0.get(&command).map_or(&[], Vec::as_slice)
    }

    /// When the command was first sent.
    fn first_called(&self, command: u64) -> u64 {
        let called = self.attempts(command).iter().map(|attempt| attempt.called);
        called.min().unwrap_or(0)
    }

    /// The events of the command, whichever attempt brought them about.
    fn block<'b>(&self, command: u64, blocks: &'b Blocks) -> Option<&'b Block> {
        let mut attempts = self.attempts(command).iter();
        attempts.find_map(|attempt| blocks.get(attempt.number))
    }

    /// Commands that took effect more than once.
    fn doubled(&self, blocks: &Blocks) -> Vec<Violation> {
        let doubled = self.0.iter().filter_map(|(command, attempts)| {
            let mut effective = attempts.iter().filter(|a| blocks.get(a.number).is_some());
            let (first, second) = (effective.next()?, effective.next()?);
            Some(Violation::Doubled {
                command: *command,
                entity: first.entity.clone(),
                attempts: [first.number, second.number],
            })
        });
        doubled.collect()
    }

    /// Commands that were answered in two ways.
    fn contradicted(&self) -> Vec<Violation> {
        let contradicted = self.0.iter().filter_map(|(command, attempts)| {
            let mut known = attempts.iter().filter(|a| a.digest.is_some());
            let first = known.next()?;
            let other = known.find(|other| other.digest != first.digest)?;
            Some(Violation::Contradicted {
                command: *command,
                entity: first.entity.clone(),
                attempts: [first.number, other.number],
            })
        });
        contradicted.collect()
    }
}

/// One attempt before its judge.
struct Judge<'a> {
    attempt: &'a Attempt,
    blocks: &'a Blocks,
    bounds: &'a Bounds,
    commands: &'a Commands<'a>,
}

impl Judge<'_> {
    /// Whether the answer is true.
    fn answer(&self) -> Option<Violation> {
        let attempt = self.attempt;
        let (number, entity) = (attempt.number, attempt.entity.clone());
        match &attempt.saw {
            Saw::Applied { last, events } => self.applied(*last, *events),
            Saw::Decided { at } => self.decided(at),
            Saw::NotApplied => self.blocks.get(number).map(|_| Violation::Applied {
                attempt: number,
                entity,
            }),
            Saw::Unknown | Saw::Nothing => None,
            Saw::Waits => Some(Violation::Waits {
                attempt: number,
                entity,
            }),
        }
    }

    fn applied(&self, last: SequenceNumber, events: u64) -> Option<Violation> {
        let attempt = self.attempt.number;
        let entity = self.attempt.entity.clone();
        let Some(block) = self.commands.block(self.attempt.command, self.blocks) else {
            return Some(Violation::Lost { attempt, entity });
        };
        if block.events() != events {
            return Some(Violation::Torn { attempt, entity });
        }
        if block.last != last {
            let found = block.last;
            return Some(Violation::Misplaced {
                attempt,
                entity,
                told: last,
                found,
            });
        }
        let (Some(answered), Some(committed)) = (self.attempt.answered, block.committed) else {
            return None;
        };
        (answered < committed).then_some(Violation::Early { attempt, entity })
    }

    fn decided(&self, at: &[SequenceNumber]) -> Option<Violation> {
        let attempt = self.attempt.number;
        let entity = self.attempt.entity.clone();
        let (Some(lowest), Some(highest)) = (at.first(), at.last()) else {
            return Some(Violation::Unexplained { attempt, entity });
        };
        let called = self.commands.first_called(self.attempt.command);
        let known = self.bounds.known(&self.attempt.entity, called);
        let committed = self
            .bounds
            .committed(&self.attempt.entity, self.attempt.answered);
        if at.iter().any(|at| (known..=committed).contains(at)) {
            None
        } else if *lowest > committed {
            Some(Violation::Early { attempt, entity })
        } else if *highest < known {
            Some(Violation::Stale {
                attempt,
                entity,
                known,
            })
        } else {
            Some(Violation::Unexplained { attempt, entity })
        }
    }

    /// Whether the attempt's events lie where they may.
    fn effect(&self) -> Option<Violation> {
        let block = self.blocks.get(self.attempt.number)?;
        let (attempt, entity) = (self.attempt.number, self.attempt.entity.clone());
        if !block.whole || block.entity != entity {
            return Some(Violation::Torn { attempt, entity });
        }
        let known = self.bounds.known(&entity, self.attempt.called);
        (block.first <= known).then_some(Violation::Stale {
            attempt,
            entity,
            known,
        })
    }
}

/// Calls of one caller to one entity that took effect in another order than they were made.
fn out_of_turn(attempts: &[Attempt], blocks: &Blocks) -> Vec<Violation> {
    let mut turns: Vec<(&Attempt, SequenceNumber)> = attempts
        .iter()
        .filter_map(|attempt| Some((attempt, blocks.get(attempt.number)?.first)))
        .collect();
    turns.sort_by_key(|(attempt, _)| (attempt.caller, &attempt.entity, attempt.called));
    let pairs = turns.iter().zip(turns.iter().skip(1));
    let wrong = pairs.filter(|((one, first), (other, second))| {
        one.caller == other.caller && one.entity == other.entity && first > second
    });
    wrong
        .map(|((one, _), (other, _))| Violation::OutOfTurn {
            entity: one.entity.clone(),
            earlier: one.number,
            later: other.number,
        })
        .collect()
}
