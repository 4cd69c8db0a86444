//! Packages: which may need which, and that all take the workspace's lints.

use crate::sources::Source;
use crate::{Allowance, Finding};

/// Packages of the workspace, and those that each of them may need.
const MAY_NEED: &[(&str, &[&str])] = &[
    ("statefn-store", &[]),
    ("statefn-macros", &[]),
    ("statefn", &["statefn-store", "statefn-macros"]),
];

/// Packages with a lock file, and with lints, of their own.
const OWN_WORKSPACES: &[&str] = &["benches/", "fuzz/"];

/// Known breaches.
pub(crate) const ALLOWED: &[Allowance] = &[];

/// Known breaches.
pub(crate) const ALLOWED_LINTS: &[Allowance] = &[
    Allowance {
        file: "examples/readme-cart/Cargo.toml",
        what: "no `[lints]",
        reason: "README's reader has a package without lints of ours",
    },
    Allowance {
        file: "tests/disk/Cargo.toml",
        what: "no `[lints]",
        reason: "SQLite calls the simulated disk through C functions",
    },
];

/// Dependencies, also for tests, against the direction.
pub(crate) fn dependencies(manifests: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in manifests {
        let Some((_, allowed)) = package(manifest) else {
            continue;
        };
        let mut section = "";
        for (index, line) in manifest.text.lines().enumerate() {
            if line.starts_with('[') {
                section = line;
            }
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if section.ends_with("dependencies]")
                && name.starts_with("statefn")
                && !allowed.contains(&name)
            {
                let what = format!("{section} must not have `{name}`");
                findings.push(Finding::new(manifest, index + 1, what));
            }
        }
    }
    findings
}

fn package(manifest: &Source) -> Option<&'static (&'static str, &'static [&'static str])> {
    let folder = manifest.path.strip_suffix("/Cargo.toml")?;
    MAY_NEED.iter().find(|(name, _)| *name == folder)
}

/// Packages that leave the workspace's lints out.
pub(crate) fn lints(manifests: &[Source]) -> Vec<Finding> {
    manifests
        .iter()
        .filter(|manifest| {
            !OWN_WORKSPACES
                .iter()
                .any(|own| manifest.path.starts_with(own))
        })
        .filter(|manifest| !manifest.text.contains("[lints]\nworkspace = true\n"))
        .map(|manifest| Finding::new(manifest, 0, "no `[lints] workspace = true`"))
        .collect()
}

#[test]
fn a_dependency_in_the_wrong_direction_is_found() {
    let upward = "[package]\nname = \"statefn-store\"\n[dependencies]\nstatefn.workspace = true\n";
    let findings = dependencies(&[Source::planted("statefn-store/Cargo.toml", upward)]);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].line, 4);
    assert!(dependencies(&[Source::planted("tests/Cargo.toml", upward)]).is_empty());
}

#[test]
fn a_package_with_lints_of_its_own_is_found() {
    let own = Source::planted("x/Cargo.toml", "[lints.rust]\nunsafe_code = \"allow\"\n");
    assert_eq!(lints(&[own]).len(), 1);
}
