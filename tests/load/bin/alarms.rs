//! Sets as many timers as it is told, lets all of them be due at once, and judges memory and firings.

#[cfg(target_os = "linux")]
fn main() -> Result<std::process::ExitCode, Box<dyn std::error::Error + Send + Sync>> {
    linux::main()
}

/// What a process takes of the machine is read from Linux's `/proc`.
#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::PathBuf;
    use std::process::ExitCode;

    use clap::Parser;
    use statefn_tests::load::{Failure, alarms};

    /// Timers that are all due at the same moment.
    #[derive(Debug, Parser)]
    struct Options {
        /// How many.
        #[arg(long, default_value_t = 1_000_000)]
        timers: u64,
        /// Of how many entities.
        #[arg(long, default_value_t = 1_000)]
        entities: u64,
        /// Where the store lies; temporary files if left out.
        #[arg(long)]
        folder: Option<PathBuf>,
    }

    pub(super) fn main() -> Result<ExitCode, Failure> {
        let options = Options::parse();
        let rung = alarms::run(&alarms::Plan {
            timers: options.timers,
            entities: options.entities.max(1),
            folder: options.folder,
        })?;
        println!("{rung}");
        let failed = rung.verdict.failed(true);
        for line in &failed {
            println!("FAILS: {line}");
        }
        Ok(if failed.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
