//! Contenders that are programs of their own: another SQLite than ours is linked into them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use statefn_bench_kit::Sample;

use crate::harness::Plan;

/// Builds cqrs-es as a program and says where it is.
pub(crate) fn build() -> Result<PathBuf> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = home.join("target").join("peers");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--quiet",
            "--locked",
            "--manifest-path",
        ])
        .arg(home.join("peers/cqrs/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()?;
    if !built.success() {
        bail!("cqrs-es could not be built");
    }
    Ok(target.join("release/statefn-bench-cqrs"))
}

/// Runs cqrs-es once.
pub(crate) fn cqrs(plan: &Plan, arguments: &[&str]) -> Result<Sample> {
    let child = Command::new(&plan.cqrs)
        .args(arguments)
        .stdout(Stdio::null())
        .output()?;
    let text = String::from_utf8_lossy(&child.stderr);
    if !child.status.success() {
        bail!("cqrs-es ended with {}: {text}", child.status);
    }
    let line = text.lines().last().context("cqrs-es said nothing")?;
    serde_json::from_str(line).with_context(|| format!("cqrs-es said {line:?}"))
}
