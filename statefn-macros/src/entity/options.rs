//! The options of `#[entity(..)]`.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use syn::{LitStr, Path, Type};

use crate::attribute::{self, Entry};
use crate::diagnostics::Diagnostics;
use crate::duration;

const KNOWN: [&str; 12] = [
    "event_sourced",
    "crud",
    "crdt",
    "name",
    "snapshot_every",
    "passivate_after",
    "codec",
    "key_retention",
    "shape",
    "version",
    "from",
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
    /// Of a CRUD entity's state.
    pub(crate) version: Option<u32>,
    /// The version before it.
    pub(crate) from: Option<Type>,
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
    Crud,
    Crdt,
}

impl Options {
    /// Reads the options; what is wrong is complained about and left out.
    pub(crate) fn read(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let mut options = Self::default();
        for entry in attribute::entries([tokens], diagnostics) {
            options.take(&entry, diagnostics);
            options.seen.push(entry.word);
        }
        options.refuse_of_another_kind(diagnostics);
        options.check_from(diagnostics);
        options
    }

    fn take(&mut self, entry: &Entry, diagnostics: &mut Diagnostics) {
        match entry.word.to_string().as_str() {
            "event_sourced" => {
                entry.no_value(diagnostics);
                self.take_kind(Kind::EventSourced, entry, diagnostics);
            }
            "crud" => {
                entry.no_value(diagnostics);
                self.take_kind(Kind::Crud, entry, diagnostics);
            }
            "crdt" => {
                entry.no_value(diagnostics);
                self.take_kind(Kind::Crdt, entry, diagnostics);
            }
            "version" => self.version = entry.version(diagnostics),
            "from" => {
                let expected = "the struct of the version before: `from = ProfileV1`";
                self.from = entry.ty(expected, diagnostics);
            }
            "name" => self.name = entry.stored_name(diagnostics),
            "snapshot_every" => {
                let expected = "a whole number of events, `0` for never: `snapshot_every = 100`";
                self.snapshot_every = entry.number(expected, diagnostics);
            }
            "passivate_after" => self.passivate_after = duration(entry, diagnostics),
            "key_retention" => self.key_retention = duration(entry, diagnostics),
            "codec" => self.codec = entry.codec(diagnostics),
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
        let is_second = !matches!(self.kind, Kind::Unsaid | Kind::Unknown);
        if is_second {
            diagnostics.at(&entry.word, "an entity follows one state model");
        }
        self.kind = kind;
    }

    /// Options that say nothing in this state model.
    fn refuse_of_another_kind(&self, diagnostics: &mut Diagnostics) {
        for word in &self.seen {
            let message = match (self.kind, word.to_string().as_str()) {
                (Kind::Crud, "snapshot_every") => {
                    "a CRUD entity has no snapshots: every change stores the whole state"
                }
                (Kind::EventSourced, "version" | "from") => {
                    "an event-sourced state is not stored, its events are: the option belongs on \
                     `#[event(..)]`"
                }
                _ => continue,
            };
            diagnostics.at(word, message);
        }
    }

    fn check_from(&self, diagnostics: &mut Diagnostics) {
        let has_version = self.seen.iter().any(|word| word == "version");
        let is_first = !has_version || self.version == Some(1);
        if let Some(from) = self.from.as_ref().filter(|_| is_first) {
            let message = "an upcaster leads to version 2 or later: add `version = 2`";
            diagnostics.at(from, message);
        }
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
