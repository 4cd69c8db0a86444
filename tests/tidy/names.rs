//! One word for one thing: words that other systems use for what has a name here.

use proc_macro2::{TokenStream, TokenTree};

use crate::sources::Source;
use crate::{Allowance, Finding};

/// The word that is not ours, and the one that is.
const RIVALS: &[(&str, &str)] = &[
    ("actor", "entity"),
    ("aggregate", "entity"),
    ("grain", "entity"),
    ("rehydrate", "recovery"),
    ("rehydration", "recovery"),
    ("cursor", "offset"),
    ("revision", "sequence number"),
    ("util", "the name of the concept"),
    ("utils", "the name of the concept"),
];

/// Known breaches.
pub(crate) const ALLOWED: &[Allowance] = &[];

/// Identifiers and doc comments with a rival word.
pub(crate) fn rivals(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    // The benchmarks speak of others by their own names.
    for source in sources.iter().filter(|s| !s.path.starts_with("benches/")) {
        // This table would find itself.
        if source.path == "tests/tidy/names.rs" {
            continue;
        }
        let tokens: TokenStream = source.text.parse().expect("Rust");
        scan(tokens, source, &mut findings);
    }
    findings
}

fn scan(tokens: TokenStream, source: &Source, findings: &mut Vec<Finding>) {
    let mut after_doc = false;
    for token in tokens {
        let line = token.span().start().line;
        let text = match &token {
            TokenTree::Group(group) => {
                scan(group.stream(), source, findings);
                continue;
            }
            TokenTree::Punct(_) => continue,
            TokenTree::Literal(literal) if after_doc => literal.to_string(),
            TokenTree::Literal(_) => String::new(),
            TokenTree::Ident(ident) => ident.to_string(),
        };
        after_doc = matches!(&token, TokenTree::Ident(ident) if ident == "doc");
        for word in words(&text) {
            if let Some((rival, ours)) = RIVALS.iter().find(|(rival, _)| is_form_of(&word, rival)) {
                let what = format!("`{rival}`: here it is {ours}");
                findings.push(Finding::new(source, line, what));
            }
        }
    }
}

fn is_form_of(word: &str, rival: &str) -> bool {
    word == rival || word.strip_suffix('s') == Some(rival) || word.strip_suffix('d') == Some(rival)
}

/// The words of an identifier or a text, in lower case.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut lower_before = false;
    for character in text.chars() {
        if !character.is_alphabetic() || (character.is_uppercase() && lower_before) {
            words.push(String::new());
        }
        lower_before = character.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| character.is_alphabetic()) {
            word.extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn rivals_are_found_in_names_and_docs() {
    for text in [
        "struct ActorRef;",
        "fn read_cursor() {}",
        "/// Two aggregates.\nfn f() {}",
        "//! It is rehydrated.",
        "mod util { }",
    ] {
        assert_eq!(rivals(&[Source::planted("a.rs", text)]).len(), 1, "{text}");
    }
}

#[test]
fn longer_words_and_data_are_not_rivals() {
    let text = "/// Factors, coarse-grained.\nfn refactor() { let x = \"actor\"; }";
    assert!(rivals(&[Source::planted("a.rs", text)]).is_empty());
}
