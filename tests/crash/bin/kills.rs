//! As many kills as are wanted, and their totals as one table.

#[cfg(unix)]
fn main() -> Result<std::process::ExitCode, Box<dyn std::error::Error>> {
    unix::main()
}

/// Signals are a matter of Unix.
#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod unix {
    use std::path::PathBuf;
    use std::process::ExitCode;
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant};

    use clap::Parser;
    use statefn_tests::crash::{Load, Plan, Table, Totals, run};

    /// Kills of one campaign: enough for a few stores.
    const CAMPAIGN: u64 = 20;

    /// Kills a process under load again and again, and checks after each time that what its
    /// callers were told is true.
    #[derive(Debug, Parser)]
    struct Options {
        /// How often a process dies, over all loads.
        #[arg(long, default_value_t = 300)]
        kills: u64,
        /// Ends earlier when this many minutes have passed.
        #[arg(long, default_value_t = 60)]
        minutes: u64,
        /// Where chance begins.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Only this load.
        #[arg(long)]
        load: Option<String>,
        /// Processes under load at the same time.
        #[arg(long, default_value_t = 2)]
        jobs: u64,
        /// The program to be killed; `crash-load` beside this one if left out.
        #[arg(long)]
        program: Option<PathBuf>,
    }

    pub(super) fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
        let options = Options::parse();
        let program = match &options.program {
            Some(program) => program.clone(),
            None => std::env::current_exe()?.with_file_name("crash-load"),
        };
        if !program.is_file() {
            return Err(format!("no program {}: build it first", program.display()).into());
        }
        let loads = match &options.load {
            Some(name) => vec![Load::named(name).ok_or(format!("no load {name:?}"))?],
            None => Load::ALL.to_vec(),
        };
        let work = Work {
            plans: Mutex::new(plans(&options, &program, &loads)),
            totals: Mutex::new(
                loads
                    .iter()
                    .map(|load| (*load, Totals::default()))
                    .collect(),
            ),
            until: now() + Duration::from_secs(60 * options.minutes),
        };
        std::thread::scope(|scope| {
            for _ in 0..options.jobs.max(1) {
                scope.spawn(|| work.run());
            }
        });
        let totals = work
            .totals
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        println!("seed {}\n\n{}", options.seed, Table(&totals));
        let breaches: Vec<String> = totals.iter().flat_map(|(_, t)| t.breaches()).collect();
        for breach in &breaches {
            println!("{breach}");
        }
        Ok(if breaches.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// Campaigns, the last one first, with the loads in turn.
    fn plans(options: &Options, program: &std::path::Path, loads: &[Load]) -> Vec<Plan> {
        let mut plans = Vec::new();
        let mut left = options.kills;
        for (number, load) in (0..).zip(loads.iter().cycle()) {
            if left == 0 {
                break;
            }
            let share = options.kills.div_ceil(loads.len() as u64);
            let kills = CAMPAIGN.min(share).min(left);
            left -= kills;
            plans.push(Plan {
                program: program.to_owned(),
                load: *load,
                kills,
                seed: options.seed.wrapping_add(number << 8),
            });
        }
        plans.reverse();
        plans
    }

    struct Work {
        plans: Mutex<Vec<Plan>>,
        totals: Mutex<Vec<(Load, Totals)>>,
        until: Instant,
    }

    impl Work {
        fn run(&self) {
            while now() < self.until {
                let next = self
                    .plans
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .pop();
                let Some(plan) = next else { return };
                let found = run(&plan);
                let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
                let deaths = found.kills + found.aborts;
                eprintln!("{}, seed {}: {deaths} deaths", plan.load.name(), plan.seed);
                for (load, totals) in totals.iter_mut() {
                    if *load == plan.load {
                        totals.add(&found);
                    }
                }
                if !found.breaches().is_empty() {
                    self.plans
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .clear();
                }
            }
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "bounds a run; nothing is decided by it"
    )]
    fn now() -> Instant {
        Instant::now()
    }
}
