//! The repository's own rules, held against its own sources.
//!
//! Each rule is a function from sources to findings, with tests that plant what it must find. What
//! the tests at the end of this file allow, they allow by name and with the reason.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a rule that cannot read its sources has failed"
)]

mod docs;
mod graph;
mod hygiene;
mod layers;
mod manifests;
mod names;
mod pages;
mod paths;
mod sizes;
mod sources;

use std::fmt;

use crate::sources::Source;

/// One breach of a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    file: String,
    line: usize,
    what: String,
}

impl Finding {
    fn new(source: &Source, line: usize, what: impl Into<String>) -> Self {
        Self {
            file: source.path.clone(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Fails with all findings, and with an allowance that allows nothing any more.
fn hold(findings: &[Finding], allowed: &[Allowance]) {
    let unused: Vec<&str> = allowed
        .iter()
        .filter(|allowance| !findings.iter().any(|finding| allowance.covers(finding)))
        .map(|allowance| allowance.file)
        .collect();
    let open: Vec<String> = findings
        .iter()
        .filter(|finding| !allowed.iter().any(|allowance| allowance.covers(finding)))
        .map(Finding::to_string)
        .collect();
    assert!(open.is_empty(), "\n{}\n", open.join("\n"));
    assert!(unused.is_empty(), "no longer needed: {unused:?}");
}

/// A breach that is known and argued for. The list only ever shrinks.
struct Allowance {
    file: &'static str,
    /// A part of the finding's text.
    what: &'static str,
    #[expect(dead_code, reason = "for whoever reads the list")]
    reason: &'static str,
}

impl Allowance {
    fn covers(&self, finding: &Finding) -> bool {
        finding.file == self.file && finding.what.contains(self.what)
    }
}

#[test]
fn modules_depend_on_lower_layers_only() {
    hold(
        &layers::upward(&sources::below("statefn/src")),
        layers::ALLOWED,
    );
}

#[test]
fn no_module_cycles() {
    hold(
        &graph::cycles(&sources::below("statefn/src"), graph::KNOWN),
        &[],
    );
    for folder in ["statefn-store/src", "statefn-macros/src"] {
        hold(&graph::cycles(&sources::below(folder), &[]), &[]);
    }
}

#[test]
fn packages_depend_in_one_direction() {
    hold(
        &manifests::dependencies(&sources::manifests()),
        manifests::ALLOWED,
    );
}

#[test]
fn every_package_takes_the_workspace_lints() {
    let findings = manifests::lints(&sources::manifests());
    hold(&findings, manifests::ALLOWED_LINTS);
}

#[test]
fn files_are_short() {
    hold(&sizes::files(&sources::rust()), sizes::ALLOWED_FILES);
}

#[test]
fn functions_are_short() {
    hold(
        &sizes::functions(&sources::rust()),
        sizes::ALLOWED_FUNCTIONS,
    );
}

#[test]
fn every_module_says_what_it_is() {
    hold(&docs::modules(&sources::rust()), docs::ALLOWED_MODULES);
}

#[test]
fn examples_in_docs_run() {
    hold(&docs::ignored_examples(&sources::rust()), &[]);
}

#[test]
fn one_word_for_one_thing() {
    hold(&names::rivals(&sources::rust()), names::ALLOWED);
}

#[test]
fn nothing_unsafe() {
    hold(
        &hygiene::unsafe_code(&sources::rust()),
        hygiene::CALLED_BY_C,
    );
}

#[test]
fn tests_do_not_sleep() {
    hold(&hygiene::sleeps(&sources::rust()), hygiene::SLEEPERS);
}

#[test]
fn nothing_is_left_to_do() {
    hold(&hygiene::left_overs(&sources::rust()), &[]);
}

#[test]
fn no_machine_is_named() {
    hold(&hygiene::machines(&sources::texts()), &[]);
}

#[test]
fn the_gate_runs_what_readme_tells() {
    hold(&pages::commands(&sources::texts()), &[]);
}

#[test]
fn the_changelog_has_a_place_for_what_is_next() {
    hold(&pages::changelog(&sources::texts()), &[]);
}

#[test]
fn pages_name_what_is_there() {
    hold(&pages::references(&sources::texts()), &[]);
}
