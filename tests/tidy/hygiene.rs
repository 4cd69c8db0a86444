//! What has no place in any file: unsafe code, sleeping tests, left-overs, names of machines.

use proc_macro2::{TokenStream, TokenTree};

use crate::sources::Source;
use crate::{Allowance, Finding};

/// Tests that wait for a process of the operating system, which no virtual clock drives.
pub(crate) const SLEEPERS: &[Allowance] = &[];

/// The keyword, anywhere in code.
pub(crate) fn unsafe_code(sources: &[Source]) -> Vec<Finding> {
    let is_unsafe = |window: &[String]| window.last().is_some_and(|word| word == "unsafe");
    find(sources, 1, is_unsafe, "`unsafe`")
}

/// Functions that C code calls.
pub(crate) const CALLED_BY_C: &[Allowance] = &[
    Allowance {
        file: "tests/disk/src/vfs/mod.rs",
        what: "`unsafe`",
        reason: "SQLite asks the simulated disk for files",
    },
    Allowance {
        file: "tests/disk/src/vfs/file.rs",
        what: "`unsafe`",
        reason: "SQLite reads and writes files of the simulated disk",
    },
];

/// Paths that end in `thread::sleep` or `time::sleep`, in tests.
pub(crate) fn sleeps(sources: &[Source]) -> Vec<Finding> {
    let is_sleep = |window: &[String]| {
        let [first, .., last] = window else {
            return false;
        };
        last == "sleep" && (first == "thread" || first == "time")
    };
    find(
        sources.iter().filter(|source| source.is_test()),
        4,
        is_sleep,
        "a test sleeps",
    )
}

/// Macros and words that say that something is not finished.
pub(crate) fn left_overs(sources: &[Source]) -> Vec<Finding> {
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]].map(|parts| parts.concat());
    let mut findings = Vec::new();
    for source in sources {
        for (index, line) in source.text.lines().enumerate() {
            if let Some(mark) = marks.iter().find(|mark| line.contains(mark.as_str())) {
                findings.push(Finding::new(source, index + 1, mark.as_str()));
            }
        }
    }
    findings
}

/// Paths of a developer's machine and hosts of its package registries.
pub(crate) fn machines(texts: &[Source]) -> Vec<Finding> {
    let marks = [
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        ["/ho", "me/"],
        ["/Us", "ers/"],
        ["index.", "crates.io"],
        ["static.", "crates.io"],
    ]
    .map(|parts| parts.concat());
    let mut findings = Vec::new();
    for text in texts {
        for (index, line) in text.text.lines().enumerate() {
            if let Some(mark) = marks.iter().find(|mark| line.contains(mark.as_str())) {
                findings.push(Finding::new(text, index + 1, format!("`{mark}`")));
            }
        }
    }
    findings
}

/// Slides over all code tokens as words; `matches` sees the last `width` of them.
fn find<'a>(
    sources: impl IntoIterator<Item = &'a Source>,
    width: usize,
    matches: impl Fn(&[String]) -> bool,
    what: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let mut words = Vec::new();
        flatten(source.text.parse().expect("Rust"), &mut words);
        let (words, lines): (Vec<String>, Vec<usize>) = words.into_iter().unzip();
        for (window, line) in words.windows(width).zip(lines.iter().skip(width - 1)) {
            if matches(window) {
                findings.push(Finding::new(source, *line, what));
            }
        }
    }
    findings
}

fn flatten(tokens: TokenStream, words: &mut Vec<(String, usize)>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => flatten(group.stream(), words),
            token => words.push((token.to_string(), token.span().start().line)),
        }
    }
}

#[test]
fn unsafe_code_is_found_in_code_only() {
    let planted = Source::planted("a.rs", "/// No unsafe code.\nfn f() { unsafe { g() } }");
    let findings = unsafe_code(&[planted]);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].line, 2);
}

#[test]
fn a_sleeping_test_is_found() {
    let text = "fn f() { std::thread::sleep(d); tokio::time::sleep(d).await; env.sleep(d).await; }";
    assert_eq!(sleeps(&[Source::planted("tests/a.rs", text)]).len(), 2);
    assert!(sleeps(&[Source::planted("statefn/src/a.rs", text)]).is_empty());
}

#[test]
fn left_overs_are_found() {
    let text = format!("// {}{}: more\nfn f() {{}}", "TO", "DO");
    assert_eq!(left_overs(&[Source::planted("a.rs", &text)]).len(), 1);
}

#[test]
fn names_of_machines_are_found() {
    let text = format!("see {}{}me/x\n", "/ho", "me/");
    assert_eq!(machines(&[Source::planted("a.md", &text)]).len(), 1);
    assert!(machines(&[Source::planted("a.md", "see examples/shopping-cart")]).is_empty());
}
