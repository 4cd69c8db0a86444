//! The report: a table in Markdown and a plot in SVG.

mod machine;
mod plot;
mod reasons;
mod table;

use std::path::Path;

use anyhow::{Context, Result};

use crate::harness::results::Results;
use crate::harness::summary::Summary;
use crate::harness::{Family, Plan, Row};

/// A row of the report: what was measured and what it is held against.
pub(crate) struct Line<'a> {
    pub(crate) row: &'a Row,
    pub(crate) family: &'a Family,
    /// Of each contender of the family.
    pub(crate) summaries: Vec<Option<Summary>>,
    /// Ours by the peer's, or ours.
    pub(crate) ratio: Option<f64>,
}

/// What a run stands on, for the head of the report.
pub(crate) fn setting(plan: &Plan) -> Vec<(String, String)> {
    machine::setting(plan)
}

/// Writes `RESULTS.md` and `results.svg` into a folder.
pub(crate) fn write(results: &Results, families: &[Family], folder: &Path) -> Result<()> {
    let lines = lines(results, families);
    let put = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    put("RESULTS.md", table::text(results, families, &lines))?;
    put("results.svg", plot::svg(&lines))
}

fn lines<'a>(results: &Results, families: &'a [Family]) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for family in families {
        let summaries: Vec<Option<Summary>> = match results.of(family.what) {
            None => vec![None; family.entries.len()],
            Some(measured) => measured
                .samples
                .iter()
                .map(|one| Summary::of(one))
                .collect(),
        };
        for row in family.rows {
            let (ratio, summaries) = (row.ratio(&summaries), summaries.clone());
            lines.push(Line {
                row,
                family,
                summaries,
                ratio,
            });
        }
    }
    lines.sort_by_key(|line| number(line.row.id));
    lines
}

/// `T7b` comes after `T7` and before `T8`.
fn number(id: &str) -> (u32, &str) {
    let digits = id.trim_start_matches('T');
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let (number, letter) = digits.split_at(end);
    (number.parse().unwrap_or(u32::MAX), letter)
}
