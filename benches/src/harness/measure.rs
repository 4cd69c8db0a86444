//! Rounds: every contender of a family once, then again.

use std::time::Instant;

use anyhow::{Context, Result};
use statefn_bench_kit::Sample;

use super::results::{Measured, Results};
use super::summary::{Summary, digits, duration, reads};
use super::{Contender, Family, Plan};

/// Seconds that a run of the families should take, about.
pub(crate) fn estimate(plan: &Plan, families: &[Family]) -> f64 {
    let of_one = |family: &Family| {
        // Warm-up, opening and closing come on top of what is measured.
        let round = plan.seconds * family.share * 1.2 + 0.5;
        let preparation = family.preparation * if plan.quick { 0.1 } else { 1.0 };
        round * (plan.rounds * family.entries.len()) as f64 + preparation
    };
    families.iter().map(of_one).sum()
}

/// Measures a family; `keep` gets what there is after every round.
pub(crate) fn family(
    plan: &Plan,
    family: &Family,
    results: &mut Results,
    keep: &mut dyn FnMut(&Results) -> Result<()>,
) -> Result<()> {
    let start = Instant::now();
    eprintln!("\n{}", family.what);
    let mut contenders = Vec::new();
    for (index, entry) in family.entries.iter().enumerate() {
        if plan.ours && family.rows.iter().all(|row| row.ours != index) {
            contenders.push(None);
            continue;
        }
        let made = (entry.make)(plan);
        let made = made.with_context(|| format!("{} cannot be set up", entry.name))?;
        contenders.push(Some(made));
    }
    eprintln!("  set up in {:.1} s", start.elapsed().as_secs_f64());
    let mut samples = vec![Vec::new(); contenders.len()];
    for round in 0..plan.rounds {
        for turn in order(round, contenders.len()) {
            let entry = &family.entries[turn];
            let Some(contender) = &mut contenders[turn] else {
                continue;
            };
            let sample = contender.round(plan);
            let sample = sample.with_context(|| format!("{} failed", entry.name))?;
            eprintln!(
                "  round {}: {:<44} {}",
                round + 1,
                entry.name,
                reads(sample.value, entry.unit)
            );
            samples[turn].push(sample);
        }
        results.put(Measured {
            what: family.what.to_owned(),
            samples: samples.clone(),
            facts: facts(&contenders),
        });
        keep(results)?;
    }
    print(family, &samples);
    Ok(())
}

fn print(family: &Family, samples: &[Vec<Sample>]) {
    let summaries: Vec<_> = samples.iter().map(|samples| Summary::of(samples)).collect();
    for (entry, summary) in family.entries.iter().zip(&summaries) {
        let Some(summary) = summary else { continue };
        let (median, spread) = (reads(summary.median, entry.unit), summary.spread() * 100.0);
        let tail = summary.percentiles.map(tail).unwrap_or_default();
        eprintln!(
            "  median:  {:<44} {median} ± {spread:.0} %{tail}",
            entry.name
        );
    }
    for row in family.rows {
        if let Some(ratio) = row.ratio(&summaries) {
            eprintln!(
                "  {}: {}x {}",
                row.id,
                digits(ratio),
                row.target.verdict(ratio)
            );
        }
    }
}

fn tail([median, high, highest]: [f64; 3]) -> String {
    let [median, high, highest] = [median, high, highest].map(duration);
    format!(", p50 {median}, p99 {high}, p99.9 {highest}")
}

/// Every other round goes backwards, so that nobody always comes first.
fn order(round: usize, count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

fn facts(contenders: &[Option<Box<dyn Contender>>]) -> Vec<String> {
    let mut facts: Vec<String> = contenders
        .iter()
        .flatten()
        .flat_map(|one| one.facts())
        .collect();
    facts.dedup();
    facts
}
