//! T13: a process that has just started, from opening the file to its first answer.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use statefn_bench_kit::{Sample, data, load};

use super::by_hand;
use crate::cart::ours::Cart;
use crate::durable::fill::{self, Filling};
use crate::harness::{Contender, Plan};

const ENTITIES: usize = 1_000_000;

/// Commands after which a process is killed: close to what a store keeps unmerged at most.
const COMMANDS: usize = 250_000;

/// Callers of the process that is killed.
const CALLERS: usize = 256;

fn file(plan: &Plan) -> Result<PathBuf> {
    let entities = plan.scaled(ENTITIES);
    let filling = Filling {
        entity_type: "cart",
        entities,
        events: 1,
    };
    fill::file(plan, "million.db", &filling)
}

/// A process that opens the file and prints the seconds to its first answer.
struct Starts {
    file: PathBuf,
    task: &'static str,
    kill: bool,
}

pub(super) fn clean(plan: &Plan) -> Result<Box<dyn Contender>> {
    Ok(Box::new(Starts {
        file: file(plan)?,
        task: "first",
        kill: false,
    }))
}

pub(super) fn by_hand(plan: &Plan) -> Result<Box<dyn Contender>> {
    Ok(Box::new(Starts {
        file: file(plan)?,
        task: "peek",
        kill: false,
    }))
}

pub(super) fn killed(plan: &Plan) -> Result<Box<dyn Contender>> {
    let file = fill::copy(plan, &file(plan)?, "killed.db")?;
    Ok(Box::new(Starts {
        file,
        task: "first",
        kill: true,
    }))
}

impl Contender for Starts {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        if self.kill {
            let commands = plan.scaled(COMMANDS).to_string();
            let entities = plan.scaled(ENTITIES).to_string();
            let mut child = child(&self.file, "churn", &[&entities, &commands]).spawn()?;
            let mut line = String::new();
            let stdout = child.stdout.take().context("it is piped")?;
            BufReader::new(stdout).read_line(&mut line)?;
            ensure!(line == "ready\n", "the process to kill ended early");
            child.kill()?;
            child.wait()?;
        }
        let output = child(&self.file, self.task, &[]).output()?;
        ensure!(
            output.status.success(),
            "a process that starts ended with {}",
            output.status
        );
        Ok(Sample::of(
            String::from_utf8(output.stdout)?.trim().parse()?,
        ))
    }

    fn facts(&self) -> Vec<String> {
        vec![format!(
            "T13: a new process each time, measured inside it; its file is in the page cache. \
                 Killed after {COMMANDS} commands from {CALLERS} callers. By hand: open, settings, \
                 one row of the heads and one of the journal, nothing written; statefn's answer \
                 is durable"
        )]
    }
}

fn child(file: &Path, task: &str, arguments: &[&str]) -> Command {
    let program = std::env::current_exe().unwrap_or_else(|_| "statefn-benches".into());
    let mut command = Command::new(program);
    command.args(["child", task]).arg(file).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::inherit());
    command
}

/// Prints the seconds from here to the first durable answer.
pub(crate) fn first(file: &Path) -> Result<()> {
    load::runtime()?.block_on(async {
        let start = Instant::now();
        let runtime = fill::open::<Cart>(file).await?;
        let cart = runtime.entity::<Cart>(data::entity(4_711));
        cart.add_item(data::product(1), data::name(1), 1).await?;
        println!("{}", start.elapsed().as_secs_f64());
        runtime.shutdown(Duration::from_secs(60)).await?;
        Ok(())
    })
}

/// Prints the seconds from here to one event, read by hand.
pub(crate) fn peek(file: &Path) -> Result<()> {
    let start = Instant::now();
    let conn = by_hand::reader(file)?;
    let payload: Vec<u8> = conn.query_row(
        "SELECT payload FROM journal WHERE offset = \
         (SELECT position FROM heads WHERE type = 'cart' AND id = ?1)",
        [data::entity(4_711)],
        |row| row.get(0),
    )?;
    println!("{}", start.elapsed().as_secs_f64());
    ensure!(payload.len() == data::PAYLOAD_BYTES, "it is an event");
    Ok(())
}

/// Works until it is killed; says so when `commands` are durable.
pub(crate) fn churn(file: &Path, entities: usize, commands: usize) -> Result<()> {
    load::runtime()?.block_on(async {
        let runtime = fill::open::<Cart>(file).await?;
        let done = Arc::new(AtomicUsize::new(0));
        let task = |caller| {
            let (runtime, done) = (runtime.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let mut random = Rng::with_seed(caller);
                loop {
                    let number = random.usize(..entities);
                    let cart = runtime.entity::<Cart>(data::entity(number));
                    let product = number as u64;
                    cart.add_item(data::product(product), data::name(product), 1)
                        .await?;
                    if done.fetch_add(1, Ordering::Relaxed) + 1 == commands {
                        println!("ready");
                    }
                }
                #[expect(unreachable_code, reason = "it says what a failure is")]
                anyhow::Ok(())
            })
        };
        let tasks: Vec<_> = (0..CALLERS as u64).map(task).collect();
        for task in tasks {
            task.await??;
        }
        Ok(())
    })
}
