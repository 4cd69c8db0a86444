//! Holds a journal against what was sent and answered.
//!
//! `judge` asks the judge of all harnesses. Here is what only this one can say: its entities tell
//! with each answer which events made the state it came from, and a store is looked at again and
//! again, so that nothing may change after it was seen.

use super::book::{Book, Fate, Happened, Known};
use super::breach::{Breach, BreachKind};
use super::journal::{Block, Journal};
use super::ledger::View;
use super::report::{Answer, What};

/// What a check counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Checked {
    /// Commands found in the journal whose callers never heard of it.
    pub(super) durable_unacknowledged: u64,
    /// Commands of unknown outcome that were not applied.
    pub(super) unknown_absent: u64,
}

/// Checks everything and settles which commands of unknown outcome were applied.
pub(super) fn check(journal: &Journal, book: &mut Book, breaches: &mut Vec<Breach>) -> Checked {
    breaches.extend(book.history.judge(journal));
    nothing_foreign(journal, book, breaches);
    nothing_taken_back(journal, book, breaches);
    answers_hold(journal, book, breaches);
    offsets_follow_answers(journal, book, breaches);
    settle(journal, book, breaches)
}

/// The journal holds what was sent, as it was sent.
fn nothing_foreign(journal: &Journal, book: &Book, breaches: &mut Vec<Breach>) {
    for (command, block) in &journal.blocks {
        let sent = book.commands.get(command).is_some_and(|known| {
            let What::Post { amounts, padding } = &known.call.what else {
                return false;
            };
            known.call.entity == block.entity
                && *amounts == block.amounts
                && *padding == block.padding
        });
        if !sent {
            let what = format!("command {command} was not sent like this: {block:?}");
            breaches.push(BreachKind::Damaged.found(what));
        }
    }
}

/// No entity is behind what was told of it, or what an earlier check found on disk.
fn nothing_taken_back(journal: &Journal, book: &Book, breaches: &mut Vec<Breach>) {
    for (entity, floor) in &book.floors {
        if journal.version(*entity) < *floor {
            let what = format!(
                "{entity:?} has {} events, {floor} had been told",
                journal.version(*entity)
            );
            breaches.push(BreachKind::Leaked.found(what));
        }
    }
}

/// Every answer came from a state that the journal confirms.
fn answers_hold(journal: &Journal, book: &Book, breaches: &mut Vec<Breach>) {
    for happened in &book.log {
        let Happened::Answered(command, answer) = happened else {
            continue;
        };
        let Some(known) = book.commands.get(command) else {
            continue;
        };
        let entity = known.call.entity;
        let holds = match answer {
            // One that is absent is reported as lost.
            Answer::Posted(view) => journal
                .blocks
                .get(command)
                .is_none_or(|block| is_state(journal, known, *view) && ends_at(block, *view)),
            Answer::Refused(view) => is_state(journal, known, *view) && refuses(known, *view),
            Answer::Seen(view) => is_state(journal, known, *view),
            Answer::NotApplied(_) | Answer::Unknown | Answer::Odd(_) => true,
        };
        if !holds {
            let what = format!(
                "command {command} on {entity:?} was answered {answer:?}; the journal leads to {:?}",
                match answer {
                    Answer::Posted(view) | Answer::Refused(view) | Answer::Seen(view) =>
                        journal.state(entity, view.version),
                    _ => None,
                }
            );
            breaches.push(BreachKind::Leaked.found(what));
        }
    }
}

fn is_state(journal: &Journal, known: &Known, view: View) -> bool {
    journal.state(known.call.entity, view.version) == Some(view)
}

fn ends_at(block: &Block, view: View) -> bool {
    block.before + block.amounts.len() as u64 == view.version
}

fn refuses(known: &Known, view: View) -> bool {
    let What::Post { amounts, .. } = &known.call.what else {
        return false;
    };
    !view.takes(amounts)
}

/// What was sent after another command had been answered stands behind it, whatever the entities.
fn offsets_follow_answers(journal: &Journal, book: &Book, breaches: &mut Vec<Breach>) {
    let mut answered = 0;
    for happened in &book.log {
        match happened {
            Happened::Answered(command, Answer::Posted(_)) => {
                let last = journal.blocks.get(command).map(|block| block.last.get());
                answered = answered.max(last.unwrap_or(0));
            }
            Happened::Sent(command) => {
                let first = journal.blocks.get(command).map(|block| block.first.get());
                if let Some(first) = first.filter(|first| *first <= answered) {
                    let what = format!(
                        "command {command} is at {first}, sent after {answered} was answered"
                    );
                    breaches.push(BreachKind::Disorder.found(what));
                }
            }
            Happened::Answered(..) => {}
        }
    }
}

/// What was acknowledged is there, what was told not applied is not; the rest is known from now on.
fn settle(journal: &Journal, book: &mut Book, breaches: &mut Vec<Breach>) -> Checked {
    let mut checked = Checked::default();
    for (command, known) in &mut book.commands {
        let fate = fate(journal, *command, known, breaches);
        if fate != Fate::Applied && known.must_be_there() {
            let what = format!("command {command}: {:?}", known.told);
            breaches.push(BreachKind::Lost.found(what));
        }
        if fate == Fate::Applied && !known.may_be_there() {
            let what = format!("command {command}: {:?}, {:?}", known.told, known.attempts);
            breaches.push(BreachKind::Untrue.found(what));
        }
        let was_open = known.told.is_none() && known.found != Some(fate) && known.may_be_there();
        if was_open && !known.attempts.is_empty() && matches!(known.call.what, What::Post { .. }) {
            match fate {
                Fate::Applied => checked.durable_unacknowledged += 1,
                Fate::Absent => checked.unknown_absent += 1,
                Fate::Refused => {}
            }
        }
        known.found = Some(fate);
        known.attempts.clear();
    }
    book.log.clear();
    for (entity, states) in &journal.states {
        book.floors.insert(*entity, states.len() as u64 - 1);
    }
    checked
}

/// What the journal has of a command: events and record in one piece, or neither.
fn fate(journal: &Journal, command: u64, known: &Known, breaches: &mut Vec<Breach>) -> Fate {
    let applied = journal.blocks.contains_key(&command);
    let recorded = journal.records.contains(&command);
    if applied && recorded != known.call.keyed {
        let what =
            format!("command {command}: events without its record, or a record without a key");
        breaches.push(BreachKind::Torn.found(what));
    }
    let refused = known.call.keyed && matches!(known.told, Some(Answer::Refused(_)));
    if refused && !recorded {
        let what = format!("the refusal of command {command}: {:?}", known.told);
        breaches.push(BreachKind::Lost.found(what));
    }
    match (applied, recorded) {
        (true, _) => Fate::Applied,
        (false, true) => Fate::Refused,
        (false, false) => Fate::Absent,
    }
}
