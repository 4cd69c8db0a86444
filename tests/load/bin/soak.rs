//! Lets a million entities come and go for as long as it is told, and judges what must stay flat.

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
    use std::time::Duration;

    use clap::Parser;
    use statefn_tests::load::{Failure, soak};

    /// Writes, passivates, comes back and reads, with a few hot entities under keys that expire.
    #[derive(Debug, Parser)]
    struct Options {
        /// How long.
        #[arg(long, default_value_t = 10.0)]
        minutes: f64,
        /// Different entities.
        #[arg(long, default_value_t = 1_000_000)]
        keys: u64,
        /// How many of them fit into memory.
        #[arg(long, default_value_t = 2_000)]
        residents: usize,
        /// Where the store lies; temporary files if left out.
        #[arg(long)]
        folder: Option<PathBuf>,
    }

    pub(super) fn main() -> Result<ExitCode, Failure> {
        let options = Options::parse();
        let soaked = soak::run(&soak::Plan {
            keys: options.keys.max(1_000),
            residents: options.residents,
            steps: u64::MAX,
            duration: Duration::from_secs_f64(60.0 * options.minutes),
            callers: 64,
            look_every: Duration::from_secs(1),
            folder: options.folder,
        })?;
        println!("{soaked}");
        let failed = soaked.verdict.failed(true);
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
