//! `replay`: runs the lines of an input, many users at once.
//!
//! A thread reads and cuts lines ([`lines`], [`mod@line`]) and hands the commands to [`lanes`]; each
//! lane sends ([`send`]) one command after another and tells the [`report`], which counts
//! ([`tally`]).

mod input;
mod lanes;
mod line;
mod lines;
mod progress;
mod report;
mod send;
mod tally;

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use statefn::env::{Env, TokioEnv};
use tokio::task::JoinSet;

use crate::cli;
use crate::failure::{Failure, sentence};
use crate::store;
use lanes::{Entrance, Tools};
use line::Content;
use lines::{LINE_BYTES_MAX, Line, Lines};
use progress::Progress;
use report::Report;

/// Runs an input and prints the summary. An error also when a line was malformed or failed.
pub(crate) async fn run(data: &Path, json: bool, options: &cli::Replay) -> Result<(), Failure> {
    // The input comes first: a typing error must not leave a new database behind.
    let input = input::open(options)?;
    let env = TokioEnv::current().map_err(|error| Failure::of("cannot start", &error))?;
    let runtime = store::open(data).await?;
    let progress = if json || options.outcomes {
        Progress::hidden()
    } else {
        Progress::new(input.bytes)
    };
    let tools = Arc::new(Tools {
        runtime,
        env,
        keys: input.keys,
        report: Arc::new(Report::new(options.outcomes, progress)),
    });
    let start = tools.env.now();
    let (entrance, tasks) = lanes::open(options.concurrency, &tools);
    let reader = {
        let report = Arc::clone(&tools.report);
        thread::spawn(move || feed(Lines::new(input.reader), &entrance, &report))
    };
    finish(tasks, reader, &tools.report).await;
    let elapsed = tools.env.now().saturating_sub(start);
    let closed = store::close(&tools.runtime).await;
    let printed = tools.report.print(elapsed, json);
    closed.and(printed)
}

/// Reads lines until the input ends or nobody takes them any more.
fn feed(mut lines: Lines<impl BufRead>, entrance: &Entrance, report: &Report) {
    while !report.is_stopping() {
        let Line {
            number,
            bytes,
            position,
        } = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => return,
            Err(error) => {
                return report.stop(format!("the input cannot be read: {}", sentence(&error)));
            }
        };
        report.position(number, position);
        let Some(bytes) = bytes else {
            report.malformed(number, &format!("longer than {LINE_BYTES_MAX} bytes"));
            continue;
        };
        match Content::of(&bytes) {
            Content::Blank => {}
            Content::Malformed(reason) => report.malformed(number, &reason),
            Content::Command(command) => {
                if !entrance.hand_over(number, command, bytes.len()) {
                    return;
                }
            }
        }
    }
}

/// Waits until every lane is done. A part that ended in another way than planned stops the run.
async fn finish(mut tasks: JoinSet<()>, reader: JoinHandle<()>, report: &Report) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            report.stop(format!("a lane broke: {error}"));
        }
    }
    // After a stop the reader may wait for input that never comes; the process ends without it.
    if !report.is_stopping() && reader.join().is_err() {
        report.stop("the reader broke".to_owned());
    }
}
