//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures statefn beside its peers and beside what the machine allows, and writes
/// `benches/RESULTS.md` and `benches/results.svg`.
#[derive(Debug, Parser)]
#[command(name = "statefn-benches")]
pub(crate) struct Cli {
    /// Rounds of every contender
    #[arg(long, value_name = "N", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) rounds: u16,

    /// Seconds that a durable contender is measured in a round; others take a part of it
    #[arg(long, value_name = "S", default_value_t = 10.0)]
    pub(crate) seconds: f64,

    /// Only these rows, such as `T7,T7b`
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(crate) rows: Vec<String>,

    /// For development: one round, one second, a tenth of the entities
    #[arg(long)]
    pub(crate) quick: bool,

    /// Only statefn: for a profiler
    #[arg(long)]
    pub(crate) ours: bool,

    /// Write the report of what the last run measured, and measure nothing
    #[arg(long)]
    pub(crate) report: bool,

    #[command(subcommand)]
    pub(crate) child: Option<Child>,
}

/// What a process that the benchmark starts does.
#[derive(Debug, Subcommand)]
pub(crate) enum Child {
    /// Used by the benchmark itself
    #[command(hide = true)]
    Child {
        #[command(subcommand)]
        task: Task,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Prints the bytes that idle entities take
    Idle { contender: String, count: usize },
    /// Prints the seconds to the first durable answer
    First { file: PathBuf },
    /// Prints the seconds to one event, read by hand
    Peek { file: PathBuf },
    /// Works until it is killed
    Churn {
        file: PathBuf,
        entities: usize,
        commands: usize,
    },
}
