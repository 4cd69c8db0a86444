//! The program that is killed: a runtime on a SQLite file under one load, which reports everything
//! that its callers get to know.

mod caller;
mod clerk;
mod manner;
mod operator;
mod voice;
mod watched;

use std::future::Future;
use std::io::BufRead;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use statefn::prelude::*;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::ledger::{Ledger, Notebook};
use super::load::{Load, Mix};
use super::money::{Account, Draft, Metronome, Vault};
use super::report::{Again, Assignment, Report, STOP};
use caller::Caller;
use clerk::Clerk;
use voice::Voice;
use watched::Watched;

/// How long accepted commands may take to finish at a shutdown.
const PATIENCE: Duration = Duration::from_secs(15);

/// What every task of the program needs.
struct World {
    runtime: Runtime,
    voice: Arc<Voice>,
    assignment: Assignment,
    again: Mutex<Vec<Again>>,
}

/// Reads its assignment from standard input and works until it is killed or told to stop.
///
/// # Errors
///
/// Its input is not what a parent sends.
pub fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    // Panics are part of a load; what they say helps nobody.
    std::panic::set_hook(Box::new(|_| {}));
    let mut lines = std::io::stdin().lock().lines();
    let first = lines.next().ok_or("no assignment")??;
    let assignment: Assignment = serde_json::from_str(&first)?;
    let (stop, stopped) = watch::channel(false);
    std::thread::spawn(move || {
        // The end of the lines means that the parent is dead: nobody else ends this process.
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if line == STOP {
                stop.send_replace(true);
            }
        }
        std::process::exit(3)
    });
    drop(lines);
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()?;
    threads.block_on(work(assignment, stopped))
}

async fn work(
    assignment: Assignment,
    mut stopped: watch::Receiver<bool>,
) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let voice = Arc::new(Voice::new()?);
    voice.say(&Report::Opening);
    let store = match Sqlite::open(&assignment.file) {
        Ok(store) => store,
        Err(error) => {
            voice.say(&Report::NotOpened(format!("{error:?}")));
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut mix = assignment.load.mix();
    if assignment.heavy {
        mix = mix.heavy();
    }
    let builder = Runtime::builder().limits(mix.limits());
    let builder = if assignment.load == Load::Money {
        let watched = Watched::new(store, Arc::clone(&voice), assignment.halt);
        let builder = builder.store(watched);
        builder.only::<(Account, Vault, Draft, Metronome)>()
    } else {
        builder.store(store).only::<(Ledger, Notebook)>()
    };
    let runtime = builder.build().await?;
    let aborts = cfg!(panic = "abort");
    voice.say(&Report::Open { aborts });
    let again = Mutex::new(assignment.again.clone());
    let world = Arc::new(World {
        runtime,
        voice,
        assignment,
        again,
    });
    let mut tasks = JoinSet::new();
    call(&world, &mix, &mut tasks);
    if mix.operates {
        tasks.spawn(operator::work(Arc::clone(&world), stopped.clone()));
    }
    stopped.wait_for(|stopped| *stopped).await?;
    world.voice.say(&Report::Stopping);
    let closed = world.runtime.shutdown(PATIENCE).await;
    // Whoever still waits for an answer now would wait for ever, and the parent sees it.
    while tasks.join_next().await.is_some() {}
    let closed = closed.map_err(|error| error.to_string());
    world.voice.say(&Report::Stopped(closed));
    Ok(ExitCode::SUCCESS)
}

/// Starts everybody who calls.
fn call(world: &Arc<World>, mix: &Mix, tasks: &mut JoinSet<()>) {
    for number in 0..mix.callers {
        let world = Arc::clone(world);
        if world.assignment.load == Load::Money {
            tasks.spawn(Clerk::new(world, number, mix.callers).work());
            continue;
        }
        let caller = Caller::new(world, mix.clone(), number);
        if caller.blocks {
            let thread = std::thread::spawn(move || run_blocking(caller.work()));
            tasks.spawn_blocking(move || drop(thread.join()));
        } else {
            tasks.spawn(caller.work());
        }
    }
}

/// Runs work that blocks instead of waiting, so that it is done at its first poll.
fn run_blocking(work: impl Future<Output = ()>) {
    let mut context = Context::from_waker(Waker::noop());
    if pin!(work).poll(&mut context).is_pending() {
        // A caller that is never heard of again is what the parent looks for.
        std::process::abort();
    }
}
