//! Documentation: every module has it, and every example in it runs.

use crate::sources::Source;
use crate::{Allowance, Finding};

/// Known breaches.
pub(crate) const ALLOWED_MODULES: &[Allowance] = &[Allowance {
    file: "examples/readme-cart/src/main.rs",
    what: "does not open",
    reason: "README's block, byte for byte",
}];

/// Files that do not open with `//!`. A piece that documentation includes is not a module.
pub(crate) fn modules(sources: &[Source]) -> Vec<Finding> {
    sources
        .iter()
        .filter(|source| !source.path.contains("/doc/"))
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| Finding::new(source, 1, "does not open with `//!`"))
        .collect()
}

/// Examples that are shown and never compiled.
pub(crate) fn ignored_examples(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        for (index, line) in source.text.lines().enumerate() {
            let line = line.trim_start();
            let doc = line
                .strip_prefix("///")
                .or_else(|| line.strip_prefix("//!"));
            let fence = doc.and_then(|doc| doc.trim_start().strip_prefix("```"));
            if fence.is_some_and(|fence| fence.split(',').any(|word| word.trim() == "ignore")) {
                let what = "an example in the docs is ignored";
                findings.push(Finding::new(source, index + 1, what));
            }
        }
    }
    findings
}

#[test]
fn a_module_without_docs_is_found() {
    assert_eq!(
        modules(&[Source::planted("a.rs", "use std::fmt;\n")]).len(),
        1
    );
    assert!(modules(&[Source::planted("a.rs", "//! A.\n")]).is_empty());
}

#[test]
fn an_ignored_example_is_found() {
    let text = "/// ```rust,ignore\n/// a();\n/// ```\nfn a() {}\n";
    assert_eq!(ignored_examples(&[Source::planted("a.rs", text)]).len(), 1);
    let runs = text.replace(",ignore", "");
    assert!(ignored_examples(&[Source::planted("a.rs", &runs)]).is_empty());
}
