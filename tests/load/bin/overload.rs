//! Offers multiples of what can be served, on this machine's disk and on a slower one, and judges what
//! becomes of them.

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
    use statefn_tests::load::{Failure, overload, stuck};

    /// Measures the peak, offers twice and ten times as much, and holds every answer against the
    /// store.
    #[derive(Debug, Parser)]
    struct Options {
        /// How long each rate is offered.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Where the store lies; temporary files if left out.
        #[arg(long)]
        folder: Option<PathBuf>,
    }

    pub(super) fn main() -> Result<ExitCode, Failure> {
        let options = Options::parse();
        let usual = overload::Plan {
            duration: Duration::from_secs(options.seconds.max(1)),
            factors: vec![2.0, 10.0],
            callers: vec![256, 1_024, 4_096],
            delay: None,
            entities: 10_000,
            folder: options.folder,
        };
        let slow = overload::Plan {
            callers: vec![256],
            delay: Some(Duration::from_millis(20)),
            ..usual.clone()
        };
        let stuck = stuck::run()?;
        println!("A disk that does not answer\n\n{stuck}");
        let mut failed = stuck.failed(true);
        for (what, plan) in [
            ("A disk 20 ms slower", slow),
            ("This machine's disk", usual),
        ] {
            let overloaded = overload::run(&plan)?;
            println!("{what}\n\n{overloaded}");
            failed.extend(overloaded.verdict.failed(true));
        }
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
