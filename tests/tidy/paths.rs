//! The modules that a file names: every path that begins with `crate`, `self` or `super`, wherever
//! it stands, inside macros and quoted code too.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;

use crate::sources::Source;

/// A path from the root of its crate, and the line where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CratePath {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

/// Every path into its own crate that the library part of a file names.
pub(crate) fn crate_paths(source: &Source, module: &[String]) -> Vec<CratePath> {
    let mut found = Vec::new();
    scan(source.library().into_token_stream(), module, &mut found);
    found
}

fn scan(tokens: TokenStream, module: &[String], found: &mut Vec<CratePath>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        match token {
            TokenTree::Group(group) => scan(group.stream(), module, found),
            TokenTree::Ident(ident) if is_path_start(&tokens, index) => {
                let line = ident.span().start().line;
                let base = match ident.to_string().as_str() {
                    "crate" => Some(Vec::new()),
                    "self" => Some(module.to_vec()),
                    "super" => Some(parent(module)),
                    _ => None,
                };
                if let Some(base) = base {
                    tree(tokens.get(index + 3..).unwrap_or(&[]), base, line, found);
                }
            }
            _ => {}
        }
        index += 1;
    }
}

fn parent(module: &[String]) -> Vec<String> {
    let mut module = module.to_vec();
    module.pop();
    module
}

/// Whether `name ::` stands here, and not in the middle of a longer path.
fn is_path_start(tokens: &[TokenTree], index: usize) -> bool {
    let follows = is_colons(tokens, index + 1);
    let continues = index >= 2 && is_colons(tokens, index - 2);
    follows && !continues
}

fn is_colons(tokens: &[TokenTree], index: usize) -> bool {
    [index, index + 1].iter().all(|&index| {
        matches!(tokens.get(index), Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
    })
}

/// Follows a path, and each branch of a group in braces.
fn tree(tokens: &[TokenTree], mut base: Vec<String>, line: usize, found: &mut Vec<CratePath>) {
    match tokens.first() {
        Some(TokenTree::Ident(ident)) => {
            let name = ident.to_string();
            match name.as_str() {
                "super" => drop(base.pop()),
                "self" => {}
                _ => base.push(name),
            }
            if is_colons(tokens, 1) {
                tree(tokens.get(3..).unwrap_or(&[]), base, line, found);
            } else {
                found.push(CratePath {
                    segments: base,
                    line,
                });
            }
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            let is_comma =
                |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ',');
            for branch in inner.split(is_comma).filter(|branch| !branch.is_empty()) {
                tree(branch, base.clone(), line, found);
            }
        }
        // `crate::*`, or the `::<` of a generic argument.
        _ => found.push(CratePath {
            segments: base,
            line,
        }),
    }
}

#[cfg(test)]
fn planted(text: &str, module: &str) -> Vec<String> {
    let module: Vec<String> = module.split("::").map(str::to_owned).collect();
    crate_paths(&Source::planted("a.rs", text), &module)
        .into_iter()
        .map(|path| path.segments.join("::"))
        .collect()
}

#[test]
fn groups_and_parents_are_followed() {
    let text = "use crate::{a::{self, B}, c}; use super::d::E; fn f() { self::g::h(); }";
    assert_eq!(
        planted(text, "x::y"),
        ["a", "a::B", "c", "x::d::E", "x::y::g::h"]
    );
}

#[test]
fn paths_inside_macros_count() {
    let text = "fn f() { log!(x = crate::a::B::<u8>::new()); }";
    assert_eq!(planted(text, "x"), ["a::B"]);
}

#[test]
fn other_crates_do_not_count() {
    let text = "pub(crate) fn f() { std::mem::take(x); other::super_::y(); let _ = self.z; }";
    assert!(planted(text, "x").is_empty());
}
