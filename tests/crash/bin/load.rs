//! The program that the crash tests kill.

/// Does what its parent says on standard input.
#[cfg(unix)]
fn main() -> Result<std::process::ExitCode, Box<dyn std::error::Error>> {
    statefn_tests::crash::program::main()
}

/// Signals are a matter of Unix.
#[cfg(not(unix))]
fn main() {}
