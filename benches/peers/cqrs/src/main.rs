//! cqrs-es on its in-memory store and on SQLite, driven like the other contenders.
//!
//! `statefn-bench-cqrs memory SECONDS` or `statefn-bench-cqrs sqlite FILE ENTITIES CALLERS SECONDS`.
//! The sample comes back as one line of JSON on standard error: the in-memory store prints a line
//! for each command on standard output.

mod cart;
mod memory;
mod sqlite;

use anyhow::{Context, Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let sample = match arguments.as_slice() {
        ["memory", history, seconds] => memory::run(history.parse()?, seconds.parse()?)?,
        ["sqlite", file, entities, callers, seconds] => {
            sqlite::run(file, entities.parse()?, callers.parse()?, seconds.parse()?)?
        }
        _ => bail!("what is asked for is not known: {arguments:?}"),
    };
    let line = serde_json::to_string(&sample).context("a sample is JSON")?;
    eprintln!("{line}");
    Ok(())
}
