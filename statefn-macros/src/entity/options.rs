//! The options of `#[entity(..)]`.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, Lit, LitStr, Path, Token};

use crate::diagnostics::Diagnostics;
use crate::{duration, names};

const KNOWN: &str = "`event_sourced`, `name`, `snapshot_every`, `passivate_after`, `codec`, \
                     `key_retention`, `shape`, `crate`";

/// What the attribute says, as far as it could be understood.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) kind: Option<Ident>,
    pub(crate) name: Option<LitStr>,
    pub(crate) snapshot_every: Option<u64>,
    pub(crate) passivate_after: Option<Duration>,
    pub(crate) codec: Option<&'static str>,
    pub(crate) key_retention: Option<Duration>,
    pub(crate) shape: Option<LitStr>,
    krate: Option<Path>,
    /// Every option with its place, in order.
    seen: Vec<(String, Span)>,
}

/// One option as written: `word` or `word = value`.
struct Entry {
    word: Ident,
    value: Option<Value>,
}

enum Value {
    Path(Path),
    Expr(Expr),
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word = input.call(syn::ext::IdentExt::parse_any)?;
        if !input.peek(Token![=]) {
            return Ok(Self { word, value: None });
        }
        input.parse::<Token![=]>()?;
        let value = if word == "crate" && !input.peek(LitStr) {
            Value::Path(input.call(Path::parse_mod_style)?)
        } else {
            Value::Expr(input.parse()?)
        };
        Ok(Self {
            word,
            value: Some(value),
        })
    }
}

impl Options {
    /// Reads the options; what is wrong is complained about and left out.
    pub(crate) fn parse(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let mut options = Self::default();
        match Punctuated::<Entry, Token![,]>::parse_terminated.parse2(tokens) {
            Ok(entries) => {
                for entry in entries {
                    options.take(&entry, diagnostics);
                }
            }
            Err(error) => diagnostics.add(error),
        }
        options
    }

    fn take(&mut self, entry: &Entry, diagnostics: &mut Diagnostics) {
        let word = entry.word.to_string();
        if self.seen.iter().any(|(seen, _)| *seen == word) {
            diagnostics.at(&entry.word, format!("option `{word}` is given twice"));
            return;
        }
        self.seen.push((word.clone(), entry.word.span()));
        match word.as_str() {
            "event_sourced" | "crud" | "crdt" => self.take_kind(entry, diagnostics),
            "name" => {
                self.name = entry.string(diagnostics).filter(|name| {
                    let complaint = names::complaint(&name.value());
                    if let Some(complaint) = &complaint {
                        diagnostics.at(name, complaint);
                    }
                    complaint.is_none()
                });
            }
            "snapshot_every" => self.snapshot_every = entry.number(diagnostics),
            "passivate_after" => self.passivate_after = entry.duration(diagnostics),
            "key_retention" => self.key_retention = entry.duration(diagnostics),
            "codec" => self.codec = entry.codec(diagnostics),
            "shape" => self.shape = entry.string(diagnostics),
            "crate" => self.krate = entry.path(diagnostics),
            _ => {
                let message = format!("unknown option `{word}`, expected one of {KNOWN}");
                diagnostics.at(&entry.word, message);
            }
        }
    }

    fn take_kind(&mut self, entry: &Entry, diagnostics: &mut Diagnostics) {
        let word = &entry.word;
        if entry.value.is_some() {
            diagnostics.at(word, format!("option `{word}` takes no value"));
        }
        if word != "event_sourced" {
            let message = format!(
                "`{word}` entities are not supported yet; the state model that works is \
                 `event_sourced`"
            );
            diagnostics.at(word, message);
        } else if self.kind.is_some() {
            diagnostics.at(word, "an entity follows one state model");
        }
        self.kind = Some(word.clone());
    }

    /// The path of the `statefn` crate.
    pub(crate) fn krate(&self) -> TokenStream {
        self.krate
            .as_ref()
            .map_or_else(|| quote!(::statefn), |path| quote!(#path))
    }

    /// On an impl block only `crate` makes sense.
    pub(crate) fn refuse_on_impl(&self, diagnostics: &mut Diagnostics) {
        for (word, span) in self.seen.iter().filter(|(word, _)| word != "crate") {
            let message = format!("option `{word}` belongs on the `#[entity(..)]` of the struct");
            diagnostics.at_span(*span, message);
        }
    }
}

impl Entry {
    fn literal(&self) -> Option<&Lit> {
        match &self.value {
            Some(Value::Expr(Expr::Lit(literal))) => Some(&literal.lit),
            _ => None,
        }
    }

    fn complain(&self, expected: &str, diagnostics: &mut Diagnostics) {
        let word = &self.word;
        let message = format!("option `{word}` expects {expected}");
        match &self.value {
            Some(Value::Expr(expr)) => diagnostics.at(expr, message),
            Some(Value::Path(path)) => diagnostics.at(path, message),
            None => diagnostics.at(word, message),
        }
    }

    fn string(&self, diagnostics: &mut Diagnostics) -> Option<LitStr> {
        if let Some(Lit::Str(text)) = self.literal() {
            return Some(text.clone());
        }
        self.complain("a string", diagnostics);
        None
    }

    fn number(&self, diagnostics: &mut Diagnostics) -> Option<u64> {
        if let Some(Lit::Int(number)) = self.literal() {
            if let Ok(number) = number.base10_parse() {
                return Some(number);
            }
        }
        self.complain("a whole number of events, `0` for never", diagnostics);
        None
    }

    fn duration(&self, diagnostics: &mut Diagnostics) -> Option<Duration> {
        if let Some(Lit::Str(text)) = self.literal() {
            if let Some(duration) = duration::parse(&text.value()) {
                return Some(duration);
            }
        }
        self.complain(duration::FORM, diagnostics);
        None
    }

    fn codec(&self, diagnostics: &mut Diagnostics) -> Option<&'static str> {
        if let Some(Lit::Str(text)) = self.literal() {
            match text.value().as_str() {
                "bincode" => return Some("Bincode"),
                "json" => return Some("Json"),
                _ => {}
            }
        }
        self.complain("`\"bincode\"` or `\"json\"`", diagnostics);
        None
    }

    fn path(&self, diagnostics: &mut Diagnostics) -> Option<Path> {
        match &self.value {
            Some(Value::Path(path)) => return Some(path.clone()),
            Some(Value::Expr(expr)) => {
                if let Some(Lit::Str(text)) = self.literal() {
                    if let Ok(path) = text.parse_with(Path::parse_mod_style) {
                        return Some(path);
                    }
                }
                let _ = expr.span();
            }
            None => {}
        }
        self.complain("the path of the `statefn` crate", diagnostics);
        None
    }
}
