//! Pages that must not drift from what is done.

use crate::Finding;
use crate::sources::Source;

/// README's first screen names two commands; the gate runs both as they are written there.
const COMMANDS: &[&str] = &[
    "cargo run --release -p shopping-cart",
    "cargo test --workspace",
];

/// Lines of README's first screen.
const FIRST_SCREEN: usize = 40;

/// Commands that README's first screen or the gate lacks.
pub(crate) fn commands(texts: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, lines) in [("README.md", FIRST_SCREEN), (".ci/run", usize::MAX)] {
        let Some(text) = texts.iter().find(|text| text.path == path) else {
            findings.push(missing(path, "the page"));
            continue;
        };
        for command in COMMANDS {
            let has = |line: &str| line.trim() == *command || line.contains(&format!("{command} "));
            if !text.text.lines().take(lines).any(has) {
                findings.push(Finding::new(text, 0, format!("lacks `{command}`")));
            }
        }
    }
    findings
}

/// A changelog without a section for what comes next.
pub(crate) fn changelog(texts: &[Source]) -> Vec<Finding> {
    let Some(text) = texts.iter().find(|text| text.path == "CHANGELOG.md") else {
        return vec![missing("CHANGELOG.md", "the page")];
    };
    let first = text.text.lines().find(|line| line.starts_with("## "));
    if first.is_some_and(|line| line.to_lowercase().contains("unreleased")) {
        Vec::new()
    } else {
        let what = "its first section is not the unreleased one";
        vec![Finding::new(text, 0, what)]
    }
}

fn missing(path: &str, what: &str) -> Finding {
    Finding {
        file: path.to_owned(),
        line: 0,
        what: format!("{what} is missing"),
    }
}

#[test]
fn a_missing_command_is_found() {
    let gate = Source::planted(".ci/run", &COMMANDS.join("\n"));
    let readme = Source::planted("README.md", &format!("```sh\n{}\n```", COMMANDS[0]));
    let findings = commands(&[gate, readme]);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].what, "lacks `cargo test --workspace`");
}

#[test]
fn a_changelog_that_is_closed_is_found() {
    let closed = Source::planted("CHANGELOG.md", "# Changelog\n\n## 0.1.0\n");
    assert_eq!(changelog(&[closed]).len(), 1);
    let open = Source::planted("CHANGELOG.md", "# Changelog\n\n## 0.1.0 - unreleased\n");
    assert!(changelog(&[open]).is_empty());
}
