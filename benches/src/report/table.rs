//! The table.

use std::fmt::Write as _;

use super::{Line, reasons};
use crate::harness::results::Results;
use crate::harness::summary::{Summary, digits, duration, reads};
use crate::harness::{Entry, Family, Target};

/// The whole page.
pub(super) fn text(results: &Results, families: &[Family], lines: &[Line<'_>]) -> String {
    let mut page = "# Results\n\n\
        Written by `cargo run --release --manifest-path benches/Cargo.toml`. Ours and the other's \
        of each row come from the same run, round by round; what counts is their ratio. The value \
        is the median of all rounds, ± the farthest round.\n\n\
        ![Every row's ratio against its targets](results.svg)\n\n"
        .to_owned();
    rows(&mut page, lines);
    reasons(&mut page, lines);
    percentiles(&mut page, results, families);
    page.push_str("\n## Setting\n\n| | |\n|---|---|\n");
    for (name, value) in &results.setting {
        line(&mut page, format_args!("| {name} | {value} |"));
    }
    page.push_str("\n## What to know\n\n");
    let facts = results.families.iter().flat_map(|family| &family.facts);
    let mut facts: Vec<&String> = facts.collect();
    facts.sort();
    facts.dedup();
    for fact in facts {
        line(&mut page, format_args!("- {fact}."));
    }
    page
}

fn rows(page: &mut String, lines: &[Line<'_>]) {
    page.push_str(
        "| | what | statefn | against | | ratio | first | goal | |\n\
         |---|---|--:|---|--:|--:|--:|--:|---|\n",
    );
    for one in lines {
        let entry = |index: usize| (&one.family.entries[index], one.summaries.get(index));
        let ours = cell(entry(one.row.ours));
        let peer = one.row.peer.map(entry);
        let name = peer.map_or("-", |(entry, _)| entry.name);
        let peer = peer.map(cell).unwrap_or_default();
        let (first, goal) = targets(one.row.target);
        let (ratio, met) = match one.ratio {
            None => ("not measured".to_owned(), ""),
            Some(ratio) => (digits(ratio), one.row.target.verdict(ratio)),
        };
        let (id, what) = (one.row.id, one.row.what);
        line(
            page,
            format_args!(
                "| {id} | {what} | {ours} | {name} | {peer} | **{ratio}** | {first} | {goal} | {met} |"
            ),
        );
    }
}

/// Why rows that have not reached their first target have not, by their profile.
fn reasons(page: &mut String, lines: &[Line<'_>]) {
    let missed = |one: &&Line<'_>| {
        matches!(
            one.ratio.and_then(|ratio| one.row.target.met(ratio)),
            Some((false, _))
        )
    };
    let mut reasons = lines.iter().filter(missed).filter_map(|one| {
        let why = reasons::of(one.row.id)?;
        Some((one.row.id, why))
    });
    let Some(first) = reasons.next() else {
        return;
    };
    page.push_str("\n## Rows below their first target, by their profile\n\n");
    for (id, why) in std::iter::once(first).chain(reasons) {
        line(page, format_args!("- **{id}**: {why}."));
    }
}

fn cell((entry, summary): (&Entry, Option<&Option<Summary>>)) -> String {
    let Some(Some(summary)) = summary else {
        return String::new();
    };
    format!(
        "{} ± {:.0} %",
        reads(summary.median, entry.unit),
        summary.spread() * 100.0
    )
}

fn targets(target: Target) -> (String, String) {
    match target {
        Target::AtMost { first, goal } => (format!("≤ {first}"), format!("≤ {goal}")),
        Target::AtLeast { first, goal } => (format!("≥ {first}"), format!("≥ {goal}")),
        Target::None => (String::new(), String::new()),
    }
}

/// How long single calls took, where they were timed.
fn percentiles(page: &mut String, results: &Results, families: &[Family]) {
    page.push_str(
        "\n## How long a call takes\n\n\
         | what | who | p50 | p99 | p99.9 |\n|---|---|--:|--:|--:|\n",
    );
    for family in families {
        let Some(measured) = results.of(family.what) else {
            continue;
        };
        for (entry, samples) in family.entries.iter().zip(&measured.samples) {
            let summary = Summary::of(samples).and_then(|summary| summary.percentiles);
            let Some([median, high, highest]) = summary.map(|all| all.map(duration)) else {
                continue;
            };
            let (what, name) = (family.what, entry.name);
            line(
                page,
                format_args!("| {what} | {name} | {median} | {high} | {highest} |"),
            );
        }
    }
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "{text}");
}
