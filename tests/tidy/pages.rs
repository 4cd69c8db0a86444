//! Pages that must not drift from what is done.

use std::path::Path;

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

/// Links of our pages that lead nowhere, and names beside a link to a source file that are not in it.
///
/// A statement is a paragraph or a list item; its names in backticks belong to the link before them.
pub(crate) fn references(texts: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let pages = texts.iter().filter(|text| {
        let is_ours = !text.path.contains('/') || text.path == "statefn-store/FORMAT.md";
        is_ours && has_extension(text, "md")
    });
    for page in pages {
        let mut target: Option<&Source> = None;
        for (index, line) in page.text.lines().enumerate() {
            if starts_statement(line) {
                target = None;
            }
            for part in parts(line) {
                let what = match part {
                    Part::Link(link) => {
                        target = texts.iter().find(|text| text.path == link);
                        let folder = format!("{}/", link.trim_end_matches('/'));
                        let leads = target.is_some()
                            || link.contains(':')
                            || texts.iter().any(|text| text.path.starts_with(&folder))
                            || texts.iter().any(|text| text.path == beside(page, link));
                        (!leads).then(|| format!("no `{link}`"))
                    }
                    Part::Name(name) => target
                        .filter(|source| has_extension(source, "rs") && !has_name(source, name))
                        .map(|source| format!("no `{name}` in {}", source.path)),
                };
                findings.extend(what.map(|what| Finding::new(page, index + 1, what)));
            }
        }
    }
    findings
}

fn has_extension(source: &Source, extension: &str) -> bool {
    Path::new(&source.path)
        .extension()
        .is_some_and(|found| found == extension)
}

enum Part<'a> {
    Link(&'a str),
    Name(&'a str),
}

fn starts_statement(line: &str) -> bool {
    let text = line.trim_start();
    let number = text.trim_start_matches(|character: char| character.is_ascii_digit());
    text.is_empty()
        || text.starts_with(['-', '|', '*'])
        || (number.len() < text.len() && number.starts_with('.'))
}

/// Links and names of a line, in their order. The text of a link is not a name.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['[', '`']) {
        let (opening, after) = rest.split_at(start + 1);
        let found = if opening.ends_with('[') {
            let link = after
                .split_once("](")
                .and_then(|(_, link)| link.split_once(')'));
            link.map(|(link, after)| (Part::Link(link.split('#').next().unwrap_or(link)), after))
        } else {
            let quoted = after.split_once('`');
            quoted.map(|(name, after)| (Part::Name(name), after))
        };
        let Some((part, after)) = found else { break };
        rest = after;
        if !matches!(part, Part::Link("")) {
            parts.push(part);
        }
    }
    parts
}

/// Whether the last word of a name is a word of the file.
fn has_name(source: &Source, name: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let last = name.rsplit("::").next().unwrap_or(name);
    // What is not one word is a piece of code or a command.
    if !last.chars().all(is_part) {
        return true;
    }
    source
        .text
        .split(|character| !is_part(character))
        .any(|word| word == last)
}

/// A link as its page means it.
fn beside(page: &Source, link: &str) -> String {
    match page.path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{link}"),
        None => link.to_owned(),
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
fn a_page_that_names_what_is_not_there_is_found() {
    let page = Source::planted(
        "ARCHITECTURE.md",
        "- A step. [`a.rs`](src/a.rs): `A::run`,\n  `walk`. [b](src/b.rs)\n- `anything`, [w](http://x)\n",
    );
    let code = Source::planted("src/a.rs", "impl A { fn run() {} }");
    let found: Vec<String> = references(&[page, code])
        .into_iter()
        .map(|f| f.what)
        .collect();
    assert_eq!(found, ["no `walk` in src/a.rs", "no `src/b.rs`"]);
}

#[test]
fn a_changelog_that_is_closed_is_found() {
    let closed = Source::planted("CHANGELOG.md", "# Changelog\n\n## 0.1.0\n");
    assert_eq!(changelog(&[closed]).len(), 1);
    let open = Source::planted("CHANGELOG.md", "# Changelog\n\n## 0.1.0 - unreleased\n");
    assert!(changelog(&[open]).is_empty());
}
