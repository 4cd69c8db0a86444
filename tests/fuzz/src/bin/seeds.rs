//! Writes every target's seeds, and the inputs kept in `corpus/`, where a fuzzer begins.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    let Some(to) = env::args_os().nth(1) else {
        return complain("the folder to write to is missing");
    };
    match write(Path::new(&to)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error.to_string()),
    }
}

#[expect(clippy::print_stderr, reason = "a program of the command line")]
fn complain(what: &str) -> ExitCode {
    eprintln!("{what}");
    ExitCode::FAILURE
}

fn write(to: &Path) -> io::Result<()> {
    for target in statefn_fuzz::TARGETS {
        let folder = to.join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:03}")), seed)?;
        }
        for kept in fs::read_dir(kept(target.name)).into_iter().flatten() {
            let kept = kept?;
            fs::copy(kept.path(), folder.join(kept.file_name()))?;
        }
    }
    Ok(())
}

fn kept(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target)
}
