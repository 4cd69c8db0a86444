//! statefn beside its peers and beside what the machine allows: every row in one run.
//!
//! `memory`, `durable`, `recovery` and `views` hold the rows and their contenders, `cart` the same cart for
//! each of them, `harness` the interleaved rounds and `report` the table and the plot.

mod cart;
mod cli;
mod durable;
mod harness;
mod memory;
mod models;
mod peer;
mod recovery;
mod report;
mod views;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Parser;

use cli::{Child, Cli, Task};
use harness::results::Results;
use harness::{Family, Plan, measure};

/// Every family, in the order of the table.
const FAMILIES: &[Family] = &[
    memory::ASK,
    memory::OUTSIDE,
    memory::COMMAND,
    memory::CALLERS,
    memory::IDLE,
    memory::HISTORY,
    durable::MANY,
    durable::HOT,
    durable::ONE,
    durable::SIXTY_FOUR,
    models::MODELS,
    recovery::LONG,
    recovery::MANY,
    recovery::START,
    recovery::GROWN,
    views::REBUILD,
];

fn main() -> Result<()> {
    let cli = Cli::parse();
    if let Some(Child::Child { task }) = &cli.child {
        return child(task);
    }
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = home.join("target/results.json");
    if cli.report {
        return report::write(&Results::read(&kept)?, FAMILIES, home);
    }
    let families = chosen(&cli.rows)?;
    let plan = Plan {
        rounds: if cli.quick { 1 } else { cli.rounds.into() },
        seconds: if cli.quick { 1.0 } else { cli.seconds },
        quick: cli.quick,
        ours: cli.ours,
        folder: home.join("target/stores"),
        cqrs: if cli.ours {
            PathBuf::new()
        } else {
            peer::build()?
        },
    };
    emptied(&plan.folder)?;
    let complete = families.len() == FAMILIES.len() && !plan.quick && !plan.ours;
    let kept = if complete {
        kept
    } else {
        home.join("target/results-of-some.json")
    };
    let results = run(&plan, &families, &kept);
    std::fs::remove_dir_all(&plan.folder)?;
    if complete {
        report::write(&results?, FAMILIES, home)?;
        eprintln!("\nwritten: benches/RESULTS.md, benches/results.svg");
    } else {
        report::write(&results?, &families, &home.join("target"))?;
        eprintln!("\nonly a part: written to benches/target/RESULTS.md and results.svg");
    }
    Ok(())
}

/// An empty folder; what an interrupted run left is removed.
fn emptied(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(std::fs::create_dir_all(folder)?)
}

/// Measures the families; what there is so far is in `kept` after every round.
fn run(plan: &Plan, families: &[Family], kept: &Path) -> Result<Results> {
    let minutes = measure::estimate(plan, families) / 60.0;
    eprintln!(
        "this takes about {:.0} minutes; samples so far are in {}",
        minutes.ceil(),
        kept.display()
    );
    let mut results = Results {
        setting: report::setting(plan),
        ..Results::default()
    };
    let mut keep = |results: &Results| results.write(kept);
    for family in families {
        if let Err(error) = measure::family(plan, family, &mut results, &mut keep) {
            eprintln!("  given up: {error:#}");
        }
    }
    Ok(results)
}

/// The families that hold the rows asked for; all of them if none is.
fn chosen(ids: &[String]) -> Result<Vec<Family>> {
    let all = || FAMILIES.iter().flat_map(|family| family.rows);
    if let Some(unknown) = ids.iter().find(|id| all().all(|row| row.id != **id)) {
        let known: Vec<_> = all().map(|row| row.id).collect();
        bail!("there is no row {unknown}; there are {}", known.join(", "));
    }
    let wanted = |family: &&Family| {
        ids.is_empty()
            || family
                .rows
                .iter()
                .any(|row| ids.iter().any(|id| id == row.id))
    };
    Ok(FAMILIES.iter().filter(wanted).copied().collect())
}

fn child(task: &Task) -> Result<()> {
    match task {
        Task::Idle { contender, count } => memory::idle::measure(contender, *count).map(drop),
        Task::First { file } => recovery::start::first(file),
        Task::Peek { file } => recovery::start::peek(file),
        Task::Churn {
            file,
            entities,
            commands,
        } => recovery::start::churn(file, *entities, *commands),
    }
}
