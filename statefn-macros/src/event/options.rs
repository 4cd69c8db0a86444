//! The options of `#[event(..)]`.

use proc_macro2::Ident;
use syn::{Attribute, LitStr, Path, Type};

use crate::attribute;
use crate::diagnostics::Diagnostics;

const KNOWN: [&str; 5] = ["name", "version", "from", "shape", "crate"];

/// What the attributes of a struct, an enum or a variant say.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) version: Option<u32>,
    pub(crate) from: Option<Type>,
    pub(crate) shape: Option<LitStr>,
    pub(crate) krate: Option<Path>,
    seen: Vec<Ident>,
}

impl Options {
    /// Reads the options; what is wrong is complained about and left out.
    pub(crate) fn read(attrs: &[Attribute], diagnostics: &mut Diagnostics) -> Self {
        let mut options = Self::default();
        let mut has_version = false;
        for entry in attribute::helper_entries(attrs, "event", diagnostics) {
            match entry.word.to_string().as_str() {
                "name" => options.name = entry.stored_name(diagnostics),
                "version" => {
                    has_version = true;
                    options.version = entry.version(diagnostics);
                }
                "from" => {
                    let expected = "the struct of the version before: `from = ItemAddedV1`";
                    options.from = entry.ty(expected, diagnostics);
                }
                "shape" => {
                    let expected = "a string: `shape = \"added-1\"`";
                    options.shape = entry.string(expected, diagnostics);
                }
                "crate" => options.krate = entry.krate(diagnostics),
                _ => entry.unknown(&KNOWN, diagnostics),
            }
            options.seen.push(entry.word);
        }
        let is_first = !has_version || options.version == Some(1);
        if let Some(from) = options.from.as_ref().filter(|_| is_first) {
            let message = "an upcaster leads to version 2 or later: add `version = 2`";
            diagnostics.at(from, message);
        }
        options
    }

    /// Complains about options that say something of one event, found on an enum of many.
    pub(crate) fn refuse_on_enum(&self, diagnostics: &mut Diagnostics) {
        self.refuse(
            &["name", "version", "from", "shape"],
            "the variants",
            diagnostics,
        );
    }

    /// Complains about options that hold for all events, found on one variant.
    pub(crate) fn refuse_on_variant(&self, diagnostics: &mut Diagnostics) {
        self.refuse(&["crate"], "the enum", diagnostics);
    }

    fn refuse(&self, words: &[&str], place: &str, diagnostics: &mut Diagnostics) {
        let refused = |word: &&Ident| words.iter().any(|refused| *word == refused);
        for word in self.seen.iter().filter(refused) {
            diagnostics.at(word, format!("option `{word}` belongs on {place}"));
        }
    }
}
