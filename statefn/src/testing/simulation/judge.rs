//! From what callers heard to what the oracle understands: each answer is explained by running its
//! handler once more on the states that the journal leads to.

use std::collections::BTreeMap;
use std::ops::Range;

use statefn_store::{Entry, PersistenceId, SequenceNumber};

use super::change::Change;
use super::errand::{Again, Folded, Heard, Moment, Rehearsed};
use super::history::{End, Sent, digest};
use super::storage::Recorder;
use crate::system::Runtime;
use crate::testing::oracle::{ATTEMPT_HEADER, Attempt, Saw, Violation, Written, check};

/// Every promise that was not kept in a run.
pub(super) fn judge(
    sent: &[Sent],
    journal: &[Entry],
    recorder: &Recorder,
    runtime: &Runtime,
) -> Vec<Violation> {
    let written: Vec<Written> = journal
        .iter()
        .map(|entry| Written {
            committed: recorder.instant(entry.offset),
            ..Written::of(entry)
        })
        .collect();
    let mut cases: BTreeMap<&PersistenceId, Case<'_>> = BTreeMap::new();
    for sent in sent {
        let case = cases.entry(sent.errand.entity()).or_default();
        case.sent.push(sent);
    }
    for (entry, written) in journal.iter().zip(&written) {
        if let (Some(change), Some(case)) = (Change::of(entry), cases.get_mut(&entry.id)) {
            case.events.push(Stored {
                entry,
                change,
                attempt: written.attempt,
                committed: written.committed.unwrap_or(0),
            });
        }
    }
    let mut violations = Vec::new();
    let mut attempts = Vec::with_capacity(sent.len());
    for case in cases.values() {
        case.hear(runtime, &mut attempts, &mut violations);
    }
    violations.extend(check(&attempts, &written));
    violations
}

/// All that concerns one entity.
#[derive(Default)]
struct Case<'a> {
    sent: Vec<&'a Sent>,
    events: Vec<Stored<'a>>,
}

struct Stored<'a> {
    entry: &'a Entry,
    change: Change,
    attempt: Option<u64>,
    committed: u64,
}

/// Sequence numbers of states.
type Window = Range<usize>;

/// One state of the entity, as a handler is shown it.
struct Look<'a> {
    runtime: &'a Runtime,
    state: &'a dyn Folded,
    version: usize,
    /// Whether the command's own events come next.
    own: bool,
}

/// What explains one attempt.
#[derive(Default)]
struct Explanation {
    /// States on which the handler gives this answer and emits nothing.
    without_events: Vec<SequenceNumber>,
    /// Where the command's own events end and how many they are, if they explain the answer.
    with_events: Option<(SequenceNumber, u64)>,
    /// How many events the handler emits when it gives this answer.
    would_emit: Option<u64>,
}

impl Case<'_> {
    /// Explains every attempt.
    fn hear(
        &self,
        runtime: &Runtime,
        attempts: &mut Vec<Attempt>,
        violations: &mut Vec<Violation>,
    ) {
        let Some(first) = self.sent.first() else {
            return;
        };
        let mut explanations: Vec<Explanation> = Vec::new();
        explanations.resize_with(self.sent.len(), Explanation::default);
        // The states that should explain the answers, then all of them for what is left.
        let windows = self.windows();
        violations.extend(self.explain(runtime, first, &windows, &mut explanations));
        let left = self.sent.iter().zip(&explanations);
        let left = left.map(|(sent, explanation)| {
            let is_open = answer(sent).is_some() && explanation.is_empty();
            if is_open { 0..usize::MAX } else { 0..0 }
        });
        let left: Vec<Window> = left.collect();
        if left.iter().any(|window| !window.is_empty()) {
            self.explain(runtime, first, &left, &mut explanations);
        }
        let judged = self.sent.iter().zip(explanations);
        attempts.extend(judged.map(|(sent, explanation)| attempt(sent, explanation)));
    }

    /// Shows each attempt the states in its window.
    fn explain(
        &self,
        runtime: &Runtime,
        first: &Sent,
        windows: &[Window],
        explanations: &mut [Explanation],
    ) -> Vec<Violation> {
        let begins = self.begins();
        let mut violations = Vec::new();
        let mut state = first.errand.beginning();
        for version in 0..=self.events.len() {
            let attempts = self.sent.iter().zip(windows).zip(&mut *explanations);
            for ((sent, window), explanation) in attempts {
                let own = match begins.get(&sent.command) {
                    Some(begin) if *begin != version => continue,
                    None if !window.contains(&version) => continue,
                    own => own.is_some(),
                };
                let at = Look {
                    runtime,
                    state: &*state,
                    version,
                    own,
                };
                violations.extend(self.look(sent, &at, explanation));
            }
            let Some(stored) = self.events.get(version) else {
                break;
            };
            if !state.apply(stored.entry) {
                break;
            }
        }
        violations
    }

    /// How many events were committed by an instant.
    fn committed(&self, instant: u64) -> usize {
        self.events
            .partition_point(|stored| stored.committed <= instant)
    }

    /// For each attempt, the states that it may have seen: from the call of its command's first
    /// attempt, and a little before, to its answer.
    fn windows(&self) -> Vec<Window> {
        let mut first_called: BTreeMap<u64, u64> = BTreeMap::new();
        for sent in &self.sent {
            let called = first_called.entry(sent.command).or_insert(sent.called);
            *called = sent.called.min(*called);
        }
        let windows = self.sent.iter().map(|sent| {
            let called = first_called.get(&sent.command).copied().unwrap_or(0);
            let End::Heard(answered, _) = &sent.end else {
                return 0..0;
            };
            self.committed(called).saturating_sub(2)..self.committed(*answered) + 1
        });
        windows.collect()
    }

    /// Where each command's events begin.
    fn begins(&self) -> BTreeMap<u64, usize> {
        let commands: BTreeMap<u64, u64> = self
            .sent
            .iter()
            .map(|sent| (sent.number, sent.command))
            .collect();
        let mut begins = BTreeMap::new();
        for (index, stored) in self.events.iter().enumerate() {
            let command = stored.attempt.and_then(|number| commands.get(&number));
            if let Some(command) = command {
                begins.entry(*command).or_insert(index);
            }
        }
        begins
    }

    /// Whether the handler of one attempt, on this state, gives the answer that was heard; and, if
    /// it was this attempt that wrote what comes next, whether it was that.
    fn look(&self, sent: &Sent, at: &Look<'_>, explanation: &mut Explanation) -> Option<Violation> {
        let answer = answer(sent);
        let executed = at.own && self.attempt_at(at.version) == Some(sent.number);
        if answer.is_none() && !executed {
            return None;
        }
        let sequence = SequenceNumber::new(at.version as u64);
        let moment = self.moment(sent, at, sequence);
        let again = match sent.errand.again(at.runtime, at.state, moment) {
            Rehearsed::Did(again) => Some(again),
            Rehearsed::Fails => None,
            Rehearsed::Unknowable => {
                if answer.is_some() {
                    let written = if at.own { self.written(at.version) } else { 0 };
                    explanation.add(sequence, at.own, written);
                }
                return None;
            }
        };
        let is_stored = self.is_stored(at.version, again.as_ref());
        if let (Some(again), Some(answer)) = (again, answer)
            && again.answer == *answer
        {
            explanation.add(sequence, at.own, again.changes.len() as u64);
        }
        (executed && !is_stored).then(|| Violation::Unexplained {
            attempt: sent.number,
            entity: sent.errand.entity().clone(),
        })
    }

    fn attempt_at(&self, version: usize) -> Option<u64> {
        self.events.get(version)?.attempt
    }

    /// How many changes one attempt has written from here on.
    fn written(&self, version: usize) -> u64 {
        let number = self.attempt_at(version);
        let stored = self.events.iter().skip(version);
        stored.take_while(|stored| stored.attempt == number).count() as u64
    }

    /// When and with what the handler ran, as far as anybody knows.
    fn moment(&self, sent: &Sent, at: &Look<'_>, sequence: SequenceNumber) -> Moment {
        let stored = self.events.get(at.version).filter(|_| at.own);
        let number = stored.and_then(|stored| stored.attempt);
        let mut metadata = sent.metadata.clone();
        metadata.insert(ATTEMPT_HEADER, number.unwrap_or(sent.number).to_string());
        Moment {
            sequence,
            now: stored.map_or(sent.wall, |stored| stored.entry.time),
            metadata,
        }
    }

    /// Whether the journal has from here on just what the handler emits.
    fn is_stored(&self, version: usize, again: Option<&Again>) -> bool {
        let Some(again) = again else { return false };
        let number = self.attempt_at(version);
        let stored = self.events.iter().skip(version);
        let stored = stored.take_while(|stored| stored.attempt == number);
        stored.map(|stored| &stored.change).eq(&again.changes)
    }
}

impl Explanation {
    fn is_empty(&self) -> bool {
        self.without_events.is_empty() && self.with_events.is_none() && self.would_emit.is_none()
    }

    fn add(&mut self, before: SequenceNumber, own: bool, events: u64) {
        if own {
            self.with_events = Some((before.plus(events), events));
        } else if events == 0 {
            self.without_events.push(before);
        } else {
            self.would_emit = Some(events);
        }
    }
}

fn answer(sent: &Sent) -> Option<&Vec<u8>> {
    match &sent.end {
        End::Heard(_, Heard::Answer { bytes, .. }) => Some(bytes),
        _ => None,
    }
}

/// The attempt as the oracle wants it.
fn attempt(sent: &Sent, explanation: Explanation) -> Attempt {
    let (answered, saw, digest) = match &sent.end {
        End::Open => (None, Saw::Waits, None),
        End::Gone => (None, Saw::Nothing, None),
        End::Heard(at, heard) => {
            let (saw, digest) = match heard {
                Heard::Answer { .. } => (saw(explanation), Some(digest(heard))),
                Heard::NotApplied { .. } | Heard::Panicked => (Saw::NotApplied, None),
                Heard::Unknown(_) => (Saw::Unknown, None),
            };
            (Some(*at), saw, digest)
        }
    };
    Attempt {
        number: sent.number,
        command: sent.command,
        caller: sent.caller,
        entity: sent.errand.entity().clone(),
        called: sent.called,
        answered,
        saw,
        digest,
    }
}

fn saw(explanation: Explanation) -> Saw {
    let Explanation {
        without_events,
        with_events,
        would_emit,
    } = explanation;
    match (with_events, would_emit) {
        (Some((last, events)), _) => Saw::Applied { last, events },
        // It must have emitted something, and nothing is there: the oracle finds it lost.
        (None, Some(events)) if without_events.is_empty() => Saw::Applied {
            last: SequenceNumber::ZERO,
            events,
        },
        (None, _) => Saw::Decided { at: without_events },
    }
}
