//! Answers of one stage, counted and timed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use statefn::prelude::*;
use statefn::{Infallible, Overload, Persisted};

use super::book::{Book, Fate};

/// Histograms that are written side by side.
const PARTS: usize = 8;

/// Odd answers that are kept; the rest is counted.
const ODD_MAX: usize = 5;

/// Latencies, in microseconds up to a minute, to one percent.
#[derive(Debug)]
pub(super) struct Latencies {
    parts: Vec<Mutex<Histogram<u64>>>,
}

impl Default for Latencies {
    fn default() -> Self {
        let parts = (0..PARTS).filter_map(|_| Histogram::new_with_bounds(1, 60_000_000, 2).ok());
        Self {
            parts: parts.map(Mutex::new).collect(),
        }
    }
}

impl Latencies {
    pub(super) fn record(&self, number: u64, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let part = usize::try_from(number).unwrap_or(0) % PARTS;
        if let Some(part) = self.parts.get(part) {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            part.saturating_record(micros);
        }
    }

    /// The latency that so many percent stay below.
    pub(super) fn percentile(&self, percent: f64) -> Duration {
        let mut all: Option<Histogram<u64>> = None;
        for part in &self.parts {
            let part = part.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut all {
                // The bounds are the same, so that it always fits.
                Some(all) => drop(all.add(&*part)),
                None => all = Some(part.clone()),
            }
        }
        let micros = all.map_or(0, |all| all.value_at_percentile(percent));
        Duration::from_micros(micros)
    }
}

/// What callers heard.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) acknowledged: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) unknown: AtomicU64,
    /// Calls that are on their way.
    pub(super) waits: AtomicU64,
    /// From the intended arrival to the reply.
    pub(super) replies: Latencies,
    /// From the call to the refusal.
    pub(super) refusals: Latencies,
    odd: AtomicU64,
    examples: Mutex<Vec<String>>,
}

/// How long an answer took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Took {
    /// Since the moment at which the call was to be made.
    pub(super) since_due: Duration,
    /// Since the call was made.
    pub(super) since_call: Duration,
}

impl Tally {
    /// Counts an answer and notes it in the book.
    pub(super) fn note(
        &self,
        book: &Book,
        number: u64,
        answer: &Result<u64, CallError<Infallible>>,
        took: Took,
    ) {
        let fate = match answer {
            Ok(sequence) => {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
                self.replies.record(number, took.since_due);
                Fate::Acknowledged(u32::try_from(*sequence).unwrap_or(0))
            }
            Err(CallError::Overloaded(why)) if *why != Overload::Panics => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                self.refusals.record(number, took.since_call);
                Fate::Refused
            }
            Err(error) => {
                if matches!(error, CallError::OutcomeUnknown { .. }) {
                    self.unknown.fetch_add(1, Ordering::Relaxed);
                } else {
                    self.find_odd(error);
                }
                match error.persisted() {
                    Persisted::No => Fate::Refused,
                    _ => Fate::Unknown,
                }
            }
        };
        book.note(number, fate);
    }

    /// Counts something that no caller should see.
    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts alike")]
    pub(super) fn find_odd(&self, what: impl ToString) {
        self.odd.fetch_add(1, Ordering::Relaxed);
        let mut examples = self.examples.lock().unwrap_or_else(PoisonError::into_inner);
        if examples.len() < ODD_MAX {
            examples.push(what.to_string());
        }
    }

    /// How many answers no caller should see, and some of them.
    pub(super) fn odd(&self) -> (u64, String) {
        let examples = self.examples.lock().unwrap_or_else(PoisonError::into_inner);
        (self.odd.load(Ordering::Relaxed), examples.join("; "))
    }
}
