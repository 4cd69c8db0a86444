//! What the parts of a run tell each other: outcomes, and that it is over.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::failure::Failure;
use crate::print;
use crate::replay::progress::Progress;
use crate::replay::send::Decided;
use crate::replay::tally::{Failed, Tally};

/// Collects the outcomes of a run, and shows them as they come if that is wanted.
pub(super) struct Report {
    tally: Mutex<Tally>,
    stop: watch::Sender<bool>,
    shows_outcomes: bool,
    progress: Progress,
}

impl Report {
    pub(super) fn new(shows_outcomes: bool, progress: Progress) -> Self {
        Self {
            tally: Mutex::new(Tally::new()),
            stop: watch::Sender::new(false),
            shows_outcomes,
            progress,
        }
    }

    /// Changes once, when the run has to end before its input does.
    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Ends the run early. What is under way is still finished.
    pub(super) fn stop(&self, reason: String) {
        self.tally().stopped(reason);
        self.stop.send_replace(true);
    }

    /// The input has been read up to this line and byte.
    pub(super) fn position(&self, line: u64, bytes: u64) {
        self.progress.position(line, bytes);
    }

    pub(super) fn malformed(&self, line: u64, reason: &str) {
        self.tally().malformed(line, reason);
        self.show(|| json!({"line": line, "outcome": "malformed", "reason": reason}));
    }

    /// The durable outcome of a line.
    pub(super) fn decided(&self, line: u64, decided: Decided, latency: Duration) {
        match decided {
            Decided::Accepted => {
                self.tally().accepted(latency);
                self.show(|| json!({"line": line, "outcome": "accepted"}));
            }
            Decided::Rejected(reason) => {
                self.tally().rejected(reason, latency);
                self.show(|| json!({"line": line, "outcome": "rejected", "reason": reason}));
            }
            Decided::Failed { error, applied } => self.failed(line, error, applied),
            Decided::Stop { error, applied } => {
                self.failed(line, error.clone(), applied);
                self.stop(format!("line {line}: {error}"));
            }
        }
    }

    fn failed(&self, line: u64, error: String, applied: &'static str) {
        self.show(
            || json!({"line": line, "outcome": "failed", "reason": error, "applied": applied}),
        );
        self.tally().failed(Failed {
            line,
            error,
            applied,
        });
    }

    fn show(&self, outcome: impl FnOnce() -> Value) {
        if !self.shows_outcomes {
            return;
        }
        if let Err(Failure::Failed(reason)) = print::lines(outcome()) {
            self.stop(reason);
        }
    }

    /// Takes the progress bar away and prints the summary.
    pub(super) fn print(&self, elapsed: Duration, json: bool) -> Result<(), Failure> {
        self.progress.finish();
        let tally = self.tally();
        if json {
            print::lines(crate::commands::json_of(&tally.summary(elapsed)))?;
        } else {
            print::lines(tally.page(elapsed))?;
        }
        if tally.is_clean() {
            Ok(())
        } else {
            Err(Failure::Reported)
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
