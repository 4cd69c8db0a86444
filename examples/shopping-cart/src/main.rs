//! The shopping cart: statefn's flagship example, a durable cart a user in one binary and one file.

mod bestsellers;
mod cart;
mod cli;
mod commands;
mod failure;
mod operate;
mod print;
mod replay;
mod store;
mod time;
mod top;
mod tour;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use failure::Failure;

#[statefn::main]
async fn main() -> ExitCode {
    let Cli {
        data,
        json,
        command,
    } = Cli::parse();
    let done = match command {
        None => tour::run(&data, json).await,
        Some(command) => run(&data, json, command).await,
    };
    let Err(failure) = done else {
        return ExitCode::SUCCESS;
    };
    if let Some(line) = failure.line(json) {
        print::complain(line);
    }
    ExitCode::from(failure.exit_code())
}

async fn run(data: &Path, json: bool, command: Command) -> Result<(), Failure> {
    match command {
        Command::OnCart(command) => commands::run(data, json, &command).await,
        Command::Replay(options) => replay::run(data, json, &options).await,
        Command::Backup { file } => operate::backup(data, json, &file).await,
        Command::Top { limit } => top::top(data, json, limit.into()).await,
        Command::Rebuild => top::rebuild(data, json).await,
        Command::Verify => operate::verify(data, json).await,
    }
}
