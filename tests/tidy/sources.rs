//! The files of the repository, as the rules look at them.

use std::fs;
use std::path::{Path, PathBuf};

/// A file: its path from the root, with forward slashes, and its text.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Folders that hold no sources of ours.
const NOT_OURS: &[&str] = &["target", ".git", "node_modules"];

/// Files of programs that are meant to be wrong.
const FIXTURES: &[&str] = &["/ui/", "/fixtures/"];

const TEXT: &[&str] = &[
    "rs",
    "toml",
    "md",
    "yml",
    "lock",
    "stderr",
    "json",
    "run",
    "sh",
    "py",
    "svg",
    "LICENSE-MIT",
    "LICENSE-APACHE",
];

impl Source {
    /// A file that a test plants.
    #[cfg(test)]
    pub(crate) fn planted(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// The syntax tree without what is only compiled for tests.
    pub(crate) fn library(&self) -> syn::File {
        let mut file = self.syntax();
        without_tests(&mut file.items);
        file
    }

    /// The syntax tree.
    pub(crate) fn syntax(&self) -> syn::File {
        syn::parse_file(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.path))
    }

    /// Whether the file is a test as a whole.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
    }
}

/// Rust files of the workspace and of the benchmarks.
pub(crate) fn rust() -> Vec<Source> {
    let mut sources = files(&root(), &["rs"]);
    sources.retain(|source| !FIXTURES.iter().any(|part| source.path.contains(part)));
    assert!(sources.len() > 50, "the sources are not where they were");
    sources
}

/// Rust files below a folder, with paths from that folder.
pub(crate) fn below(folder: &str) -> Vec<Source> {
    let prefix = format!("{folder}/");
    let found: Vec<Source> = rust()
        .into_iter()
        .filter(|source| source.path.starts_with(&prefix))
        .collect();
    assert!(!found.is_empty(), "{folder} has moved");
    found
}

/// Manifests of all packages.
pub(crate) fn manifests() -> Vec<Source> {
    let mut sources = files(&root(), &["toml"]);
    sources.retain(|source| source.path.ends_with("/Cargo.toml"));
    assert!(sources.len() > 3, "the packages are not where they were");
    sources
}

/// Every text file.
pub(crate) fn texts() -> Vec<Source> {
    files(&root(), TEXT)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_path_buf()
}

fn files(root: &Path, endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    collect(root, root, endings, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(root: &Path, folder: &Path, endings: &[&str], found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !NOT_OURS.contains(&&*name) {
                collect(root, &path, endings, found);
            }
        } else if endings
            .iter()
            .any(|ending| *name == **ending || name.ends_with(&format!(".{ending}")))
        {
            let text = fs::read_to_string(&path).expect("a text");
            let relative = path.strip_prefix(root).expect("below the root");
            let path = relative.to_string_lossy().replace('\\', "/");
            found.push(Source { path, text });
        }
    }
}

fn without_tests(items: &mut Vec<syn::Item>) {
    items.retain(|item| !attributes(item).iter().any(is_cfg_test));
    for item in items {
        if let syn::Item::Mod(module) = item
            && let Some((_, items)) = &mut module.content
        {
            without_tests(items);
        }
    }
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        _ => &[],
    }
}

fn is_cfg_test(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute
            .parse_args::<syn::Path>()
            .is_ok_and(|path| path.is_ident("test"))
}

#[test]
fn test_modules_are_left_out_of_the_library() {
    let source = Source::planted(
        "statefn/src/a.rs",
        "//! A.\nuse crate::b;\n#[cfg(test)]\nmod tests { use crate::c; }\n#[cfg(unix)] mod d {}",
    );
    assert_eq!(source.syntax().items.len(), 3);
    assert_eq!(source.library().items.len(), 2);
}
