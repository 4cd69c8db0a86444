//! What the parent knows: every call that was sent, how it was answered, and what that says of the
//! journal.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::breach::{Breach, BreachKind};
use super::judge::History;
use super::money::Money;
use super::report::{Address, Again, Answer, Call, Report};

/// Everything known of one store file.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) commands: BTreeMap<u64, Known>,
    /// For each entity the highest version that somebody has been told of or that was found on disk.
    pub(super) floors: BTreeMap<Address, u64>,
    /// What happened since the last check, in the order of the lines.
    pub(super) log: Vec<Happened>,
    pub(super) history: History,
    pub(super) backups: Vec<Backup>,
    pub(super) money: Money,
    /// Whether a panic ends the program.
    pub(super) aborts: bool,
    pub(super) counts: Counts,
    stopping: bool,
    unanswered: usize,
}

/// What callers have been told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) sent: u64,
    /// Commands, not answers: a repetition does not count.
    pub(super) acknowledged: u64,
    pub(super) refused: u64,
    pub(super) seen: u64,
    /// Answers to repetitions of commands that had been answered.
    pub(super) repeated: u64,
}

/// Calls and answers since the last check.
#[derive(Clone, Debug)]
pub(super) enum Happened {
    /// For the first time.
    Sent(u64),
    Answered(u64, Answer),
}

/// One command, over all its attempts.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) call: Call,
    /// The answer of each attempt since the journal was last looked at.
    pub(super) attempts: BTreeMap<u64, Option<Answer>>,
    next_attempt: u64,
    /// The domain's answer, once somebody has it.
    pub(super) told: Option<Answer>,
    /// What the journal had of it at the last look; `None` before the first.
    pub(super) found: Option<Fate>,
}

/// What a journal has of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Absent,
    Applied,
    /// The record of its refusal.
    Refused,
}

/// A backup under way or complete.
#[derive(Debug)]
pub(super) struct Backup {
    pub(super) file: PathBuf,
    pub(super) complete: bool,
    /// What had been told before it began.
    pub(super) floors: BTreeMap<Address, u64>,
}

impl Known {
    fn new(call: Call) -> Self {
        Self {
            call,
            attempts: BTreeMap::new(),
            next_attempt: 0,
            told: None,
            found: None,
        }
    }

    fn is_refused(&self) -> bool {
        self.found == Some(Fate::Refused) || matches!(self.told, Some(Answer::Refused(_)))
    }

    /// Whether an answer contradicts what is known already.
    fn contradicts(&self, answer: &Answer) -> bool {
        match answer {
            Answer::Posted(_) if self.is_refused() => true,
            Answer::Refused(_) if self.must_be_there() => true,
            Answer::Posted(_) | Answer::Refused(_) => {
                self.told.as_ref().is_some_and(|told| told != answer)
            }
            _ => false,
        }
    }

    /// Whether the journal must hold it.
    pub(super) fn must_be_there(&self) -> bool {
        self.found == Some(Fate::Applied) || matches!(self.told, Some(Answer::Posted(_)))
    }

    /// Whether the journal may hold it. What was refused under a key stays refused.
    pub(super) fn may_be_there(&self) -> bool {
        if self.is_refused() {
            return false;
        }
        let is_open = |answer: &Option<Answer>| matches!(answer, None | Some(Answer::Unknown));
        self.must_be_there() || self.attempts.values().any(is_open)
    }
}

impl Book {
    /// A new process has been started.
    pub(super) fn new_process(&mut self) {
        self.stopping = false;
        self.unanswered = 0;
        self.money.new_process();
    }

    /// Whether every call has been answered.
    pub(super) fn all_answered(&self) -> bool {
        self.unanswered == 0 && self.money.all_answered()
    }

    /// Takes a line of the program down.
    pub(super) fn note(&mut self, report: Report) -> Result<(), Breach> {
        match report {
            Report::Open { aborts } => self.aborts = aborts,
            Report::NotOpened(why) => return Err(BreachKind::Locking.found(why)),
            Report::Stopping => self.stopping = true,
            Report::Sent {
                caller,
                command,
                attempt,
                call,
            } => {
                self.history.sent(caller, command, attempt, call.entity);
                self.sent(command, attempt, call);
            }
            Report::Answered {
                command,
                attempt,
                answer,
            } => return self.answered(command, attempt, answer),
            Report::BackingUp(file) => self.backups.push(Backup {
                file,
                complete: false,
                floors: self.floors.clone(),
            }),
            Report::BackedUp(_, Ok(())) => {
                if let Some(last) = self.backups.last_mut() {
                    last.complete = true;
                }
            }
            Report::BackedUp(_, Err(why)) if !self.stopping => {
                return Err(BreachKind::Odd.found(format!("a backup failed: {why}")));
            }
            Report::Verified(faults) if !self.stopping && !faults.is_empty() => {
                let what = format!("a check beside commands found {faults:?}");
                return Err(BreachKind::Damaged.found(what));
            }
            Report::Stopped(Err(why)) => return Err(BreachKind::Odd.found(why)),
            Report::Stopped(Ok(false)) => {
                let what = "accepted commands did not finish at the shutdown";
                return Err(BreachKind::Silent.found(what));
            }
            Report::Ordered(order) => self.money.ordered(order),
            Report::Done { order, outcome } => return self.money.answered(order, outcome),
            Report::Opening
            | Report::Reached(_)
            | Report::Verifying
            | Report::Verified(_)
            | Report::BackedUp(_, Err(_))
            | Report::Stopped(Ok(true)) => {}
        }
        Ok(())
    }

    fn sent(&mut self, command: u64, attempt: u64, call: Call) {
        let known = self
            .commands
            .entry(command)
            .or_insert_with(|| Known::new(call));
        known.attempts.insert(attempt, None);
        known.next_attempt = known.next_attempt.max(attempt + 1);
        self.unanswered += 1;
        self.counts.sent += 1;
        if attempt == 0 {
            self.log.push(Happened::Sent(command));
        }
    }

    fn answered(&mut self, command: u64, attempt: u64, answer: Answer) -> Result<(), Breach> {
        self.unanswered = self.unanswered.saturating_sub(1);
        let Some(known) = self.commands.get_mut(&command) else {
            let what = format!("command {command} was answered and never sent");
            return Err(BreachKind::Odd.found(what));
        };
        if let Answer::Odd(why) = answer {
            return Err(BreachKind::Odd.found(format!("command {command}: {why}")));
        }
        if let Answer::Posted(view) | Answer::Refused(view) | Answer::Seen(view) = answer {
            let floor = self.floors.entry(known.call.entity).or_default();
            *floor = (*floor).max(view.version);
        }
        if known.contradicts(&answer) {
            let what = format!(
                "command {command}: first {:?} ({:?} in the journal), then {answer:?}",
                known.told, known.found
            );
            return Err(BreachKind::Forgotten.found(what));
        }
        match (&answer, &known.told) {
            (Answer::Posted(_) | Answer::Refused(_), Some(_)) => self.counts.repeated += 1,
            (Answer::Posted(_), None) => self.counts.acknowledged += 1,
            (Answer::Refused(_), None) => self.counts.refused += 1,
            (Answer::Seen(_), _) => self.counts.seen += 1,
            _ => {}
        }
        if matches!(answer, Answer::Posted(_) | Answer::Refused(_)) {
            known.told = Some(answer.clone());
        }
        self.history
            .answered(command, attempt, &known.call.what, &answer);
        known.attempts.insert(attempt, Some(answer.clone()));
        self.log.push(Happened::Answered(command, answer));
        Ok(())
    }

    /// The command to be sent again under its key.
    pub(super) fn again(&self, command: u64) -> Option<Again> {
        let known = self.commands.get(&command)?;
        Some(Again {
            command,
            attempt: known.next_attempt,
            call: Call {
                deadline: None,
                dropped: false,
                ..known.call.clone()
            },
        })
    }
}
