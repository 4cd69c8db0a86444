//! What a campaign came to, as numbers.

use std::collections::BTreeMap;
use std::fmt;

use super::book::Book;
use super::breach::{Breach, BreachKind};
use super::load::Load;
use super::moment::Moment;
use super::oracle::Checked;

/// The numbers of one or more campaigns.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Processes that died of SIGKILL.
    pub kills: u64,
    /// Processes that died of their own panic (built with `panic = "abort"`).
    pub aborts: u64,
    /// Processes that shut down in order.
    pub shutdowns: u64,
    /// Calls sent.
    pub sent: u64,
    /// Commands that were acknowledged.
    pub acknowledged: u64,
    /// Refusals that were answered.
    pub refused: u64,
    /// Queries that were answered.
    pub queries: u64,
    /// Repetitions that got the first answer again.
    pub repeated: u64,
    /// Commands in the journal whose callers had not heard of it when their process died.
    pub durable_unacknowledged: u64,
    /// Commands of unknown outcome that were not applied.
    pub unknown_absent: u64,
    /// Stores checked.
    pub checks: u64,
    pub(super) moments: BTreeMap<Moment, u64>,
    pub(super) breaches: Vec<Breach>,
}

impl Totals {
    /// Acknowledged commands that are gone.
    pub fn lost(&self) -> usize {
        self.count(BreachKind::Lost)
    }

    /// Commands that took effect twice.
    pub fn doubled(&self) -> usize {
        self.count(BreachKind::Doubled) + self.count(BreachKind::Forgotten)
    }

    /// What else was wrong.
    pub fn other_breaches(&self) -> usize {
        self.breaches.len() - self.lost() - self.doubled()
    }

    /// Everything that was wrong, a line each.
    pub fn breaches(&self) -> Vec<String> {
        self.breaches.iter().map(ToString::to_string).collect()
    }

    fn count(&self, kind: BreachKind) -> usize {
        self.breaches.iter().filter(|b| b.kind == kind).count()
    }

    pub(super) fn take_book(&mut self, book: &Book) {
        for counts in [book.counts, book.money.counts] {
            self.sent += counts.sent;
            self.acknowledged += counts.acknowledged;
            self.refused += counts.refused;
            self.queries += counts.seen;
            self.repeated += counts.repeated;
        }
    }

    pub(super) fn take_check(&mut self, checked: Checked) {
        self.checks += 1;
        self.durable_unacknowledged += checked.durable_unacknowledged;
        self.unknown_absent += checked.unknown_absent;
    }

    /// Adds the numbers of another campaign.
    pub fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.aborts += other.aborts;
        self.shutdowns += other.shutdowns;
        self.sent += other.sent;
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.queries += other.queries;
        self.repeated += other.repeated;
        self.durable_unacknowledged += other.durable_unacknowledged;
        self.unknown_absent += other.unknown_absent;
        self.checks += other.checks;
        for (moment, count) in &other.moments {
            *self.moments.entry(*moment).or_default() += count;
        }
        self.breaches.extend(other.breaches.iter().cloned());
    }

    fn row(&self) -> [String; 13] {
        [
            self.kills.to_string(),
            self.aborts.to_string(),
            self.shutdowns.to_string(),
            self.checks.to_string(),
            self.sent.to_string(),
            self.acknowledged.to_string(),
            self.refused.to_string(),
            self.queries.to_string(),
            self.repeated.to_string(),
            self.durable_unacknowledged.to_string(),
            self.unknown_absent.to_string(),
            self.lost().to_string(),
            self.doubled().to_string(),
        ]
    }
}

/// Totals by load, as a Markdown table.
#[derive(Debug)]
pub struct Table<'a>(pub &'a [(Load, Totals)]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEAD: [&str; 14] = [
            "load",
            "kills",
            "aborts",
            "shutdowns",
            "checks",
            "calls",
            "acknowledged",
            "refused",
            "queries",
            "repeated",
            "durable, not acknowledged",
            "unknown, absent",
            "lost",
            "doubled",
        ];
        writeln!(f, "| {} |", HEAD.join(" | "))?;
        writeln!(f, "|---|{}", "---:|".repeat(HEAD.len() - 1))?;
        let mut all = Totals::default();
        for (load, totals) in self.0 {
            writeln!(f, "| {} | {} |", load.name(), totals.row().join(" | "))?;
            all.add(totals);
        }
        writeln!(f, "| **all** | {} |", all.row().join(" | "))?;
        writeln!(f, "\nother breaches: {}", all.other_breaches())?;
        let moments: Vec<String> = all
            .moments
            .iter()
            .map(|(moment, count)| format!("{moment:?} {count}"))
            .collect();
        writeln!(f, "killed while: {}", moments.join(", "))
    }
}
