//! The options of `#[entity(..)]`.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use syn::{LitStr, Path};

use crate::attribute::{self, Entry};
use crate::diagnostics::Diagnostics;
use crate::duration;

const KNOWN: [&str; 8] = [
    "event_sourced",
    "name",
    "snapshot_every",
    "passivate_after",
    "codec",
    "key_retention",
    "shape",
    "crate",
];

/// What the attribute says, as far as it could be understood.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) kind: Kind,
    pub(crate) name: Option<LitStr>,
    pub(crate) snapshot_every: Option<u64>,
    pub(crate) passivate_after: Option<Duration>,
    pub(crate) codec: Option<&'static str>,
    pub(crate) key_retention: Option<Duration>,
    pub(crate) shape: Option<LitStr>,
    krate: Option<Path>,
    /// Every option with its place, in order.
    seen: Vec<Ident>,
}

/// The state model.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The attribute says nothing about it.
    #[default]
    Unsaid,
    /// A word that might have been meant as one was complained about.
    Unknown,
    EventSourced,
    /// `crud` or `crdt`: known, refused for now.
    ChangedInPlace,
}

impl Options {
    /// Reads the options; what is wrong is complained about and left out.
    pub(crate) fn read(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let mut options = Self::default();
        for entry in attribute::entries([tokens], diagnostics) {
            options.take(&entry, diagnostics);
            options.seen.push(entry.word);
        }
        options
    }

    fn take(&mut self, entry: &Entry, diagnostics: &mut Diagnostics) {
        match entry.word.to_string().as_str() {
            "event_sourced" => {
                entry.no_value(diagnostics);
                self.take_kind(Kind::EventSourced, entry, diagnostics);
            }
            "crud" | "crdt" => {
                let message = format!(
                    "`{}` entities are not supported yet: the state model that works today is \
                     `event_sourced`",
                    entry.word
                );
                diagnostics.at(&entry.word, message);
                self.take_kind(Kind::ChangedInPlace, entry, diagnostics);
            }
            "name" => self.name = entry.stored_name(diagnostics),
            "snapshot_every" => {
                let expected = "a whole number of events, `0` for never: `snapshot_every = 100`";
                self.snapshot_every = entry.number(expected, diagnostics);
            }
            "passivate_after" => self.passivate_after = duration(entry, diagnostics),
            "key_retention" => self.key_retention = duration(entry, diagnostics),
            "codec" => self.codec = codec(entry, diagnostics),
            "shape" => {
                self.shape = entry.string("a string: `shape = \"cart-1\"`", diagnostics);
            }
            "crate" => self.krate = entry.krate(diagnostics),
            _ => {
                entry.unknown(&KNOWN, diagnostics);
                if entry.is_word() && self.kind == Kind::Unsaid {
                    self.kind = Kind::Unknown;
                }
            }
        }
    }

    fn take_kind(&mut self, kind: Kind, entry: &Entry, diagnostics: &mut Diagnostics) {
        let is_second = matches!(self.kind, Kind::EventSourced | Kind::ChangedInPlace);
        if is_second && kind == Kind::EventSourced {
            diagnostics.at(&entry.word, "an entity follows one state model");
        }
        self.kind = kind;
    }

    /// The path of the `statefn` crate.
    pub(crate) fn krate(&self) -> TokenStream {
        attribute::krate_tokens(self.krate.as_ref())
    }

    /// On an impl block only `crate` makes sense.
    pub(crate) fn refuse_on_impl(&self, diagnostics: &mut Diagnostics) {
        let known = |word: &&Ident| KNOWN.iter().any(|known| *word == known);
        for word in self.seen.iter().filter(known).filter(|w| *w != "crate") {
            let message = format!("option `{word}` belongs on the `#[entity(..)]` of the struct");
            diagnostics.at(word, message);
        }
    }
}

fn duration(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Duration> {
    let text = entry.string(duration::FORM, diagnostics)?;
    let duration = duration::parse(&text.value());
    if duration.is_none() {
        entry.expected(duration::FORM, diagnostics);
    }
    duration
}

fn codec(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<&'static str> {
    let expected = "`\"bincode\"` or `\"json\"`";
    match entry.string(expected, diagnostics)?.value().as_str() {
        "bincode" => Some("Bincode"),
        "json" => Some("Json"),
        _ => {
            entry.expected(expected, diagnostics);
            None
        }
    }
}
