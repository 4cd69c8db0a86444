//! statefn beside its peers and beside what the machine allows: every row in one run.
//!
//! `memory`, `durable` and `recovery` hold the rows and their contenders, `cart` the same cart for
//! each of them, `harness` the interleaved rounds and `report` the table and the plot.

mod cart;
mod cli;
mod durable;
mod harness;
mod memory;
mod peer;
mod recovery;

use std::path::Path;
use std::time::Duration;

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
    recovery::LONG,
    recovery::MANY,
    recovery::START,
    recovery::GROWN,
];

fn main() -> Result<()> {
    let cli = Cli::parse();
    if let Some(Child::Child { task }) = &cli.child {
        return child(task);
    }
    let families = chosen(&cli.rows)?;
    let folder = tempfile::Builder::new()
        .prefix("statefn-bench-")
        .tempdir_in(env!("CARGO_MANIFEST_DIR"))?;
    let plan = Plan {
        rounds: if cli.quick { 1 } else { cli.rounds.into() },
        seconds: if cli.quick { 1.0 } else { cli.seconds },
        quick: cli.quick,
        folder: folder.path().to_owned(),
        cqrs: peer::build()?,
    };
    run(&plan, &families)
}

fn run(plan: &Plan, families: &[Family]) -> Result<()> {
    let estimate = Duration::from_secs_f64(measure::estimate(plan, families));
    eprintln!(
        "this takes about {} minutes",
        estimate.as_secs().div_ceil(60)
    );
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/results.json");
    let mut results = Results::default();
    let mut keep = |results: &Results| results.write(&kept);
    for family in families {
        measure::family(plan, family, &mut results, &mut keep)?;
    }
    Ok(())
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
