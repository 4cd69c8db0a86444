//! What `derive(Event)` understands of an item.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, LitInt, LitStr, Path, Type};

use crate::diagnostics::Diagnostics;
use crate::names;

/// An event type.
pub(crate) struct Model {
    pub(crate) krate: TokenStream,
    pub(crate) events: Vec<EventModel>,
    pub(crate) is_enum: bool,
}

/// One event.
pub(crate) struct EventModel {
    /// The variant; `None` for a struct.
    pub(crate) variant: Option<Ident>,
    pub(crate) name: String,
    pub(crate) version: u32,
    pub(crate) from: Option<Type>,
}

#[derive(Default)]
struct Options {
    name: Option<LitStr>,
    version: Option<LitInt>,
    from: Option<Type>,
    krate: Option<Path>,
}

impl Model {
    /// Reads an item; what is wrong is complained about and left at its default.
    pub(crate) fn read(input: &DeriveInput, diagnostics: &mut Diagnostics) -> Self {
        if !input.generics.params.is_empty() {
            let message = "an event has no generic parameters: it is stored under one stable name";
            diagnostics.at(&input.generics, message);
        }
        let options = Options::read(&input.attrs, diagnostics);
        let krate = options
            .krate
            .as_ref()
            .map_or_else(|| quote!(::statefn), |path| path.to_token_stream());
        match &input.data {
            Data::Struct(_) => {
                refuse_serde(&input.attrs, diagnostics);
                let event = EventModel::new(None, &input.ident, options, diagnostics);
                Self {
                    krate,
                    events: vec![event],
                    is_enum: false,
                }
            }
            Data::Enum(data) => {
                if options.name.is_some() || options.version.is_some() || options.from.is_some() {
                    let message = "name, version and upcaster belong on the variants";
                    diagnostics.at(&input.ident, message);
                }
                if data.variants.is_empty() {
                    diagnostics.at(&input.ident, "an event enum has at least one variant");
                }
                refuse_serde(&input.attrs, diagnostics);
                let events = data.variants.iter().map(|variant| {
                    refuse_serde(&variant.attrs, diagnostics);
                    let options = Options::read(&variant.attrs, diagnostics);
                    let ident = Some(variant.ident.clone());
                    EventModel::new(ident, &variant.ident, options, diagnostics)
                });
                let events: Vec<EventModel> = events.collect();
                refuse_doubles(&events, diagnostics);
                Self {
                    krate,
                    events,
                    is_enum: true,
                }
            }
            Data::Union(_) => {
                diagnostics.at(&input.ident, "an event is a struct or an enum");
                Self {
                    krate,
                    events: Vec::new(),
                    is_enum: false,
                }
            }
        }
    }
}

impl EventModel {
    fn new(
        variant: Option<Ident>,
        ident: &Ident,
        options: Options,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let name = match &options.name {
            Some(name) => {
                if let Some(complaint) = names::complaint(&name.value()) {
                    diagnostics.at(name, complaint);
                }
                name.value()
            }
            None => ident.unraw().to_string(),
        };
        let mut version = 1;
        if let Some(literal) = &options.version {
            match literal.base10_parse::<u32>() {
                Ok(number) if number > 0 => version = number,
                _ => diagnostics.at(literal, "a version is a whole number from 1"),
            }
        }
        if let Some(from) = options.from.as_ref().filter(|_| version < 2) {
            let message = "an upcaster leads to version 2 or later: add `version = 2`";
            diagnostics.at(from, message);
        }
        Self {
            variant,
            name,
            version,
            from: options.from,
        }
    }
}

impl Options {
    fn read(attrs: &[Attribute], diagnostics: &mut Diagnostics) -> Self {
        let mut options = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("event")) {
            let parsed = attr.parse_nested_meta(|meta| {
                let word = meta.path.require_ident()?.to_string();
                let twice = || meta.error(format!("option `{word}` is given twice"));
                match word.as_str() {
                    "name" if options.name.is_some() => return Err(twice()),
                    "version" if options.version.is_some() => return Err(twice()),
                    "from" if options.from.is_some() => return Err(twice()),
                    "name" => options.name = Some(meta.value()?.parse()?),
                    "version" => options.version = Some(meta.value()?.parse()?),
                    "from" => options.from = Some(meta.value()?.parse()?),
                    "crate" => {
                        let value = meta.value()?;
                        options.krate = Some(value.call(Path::parse_mod_style)?);
                    }
                    _ => {
                        return Err(meta.error(format!(
                            "unknown option `{word}`, expected one of `name`, `version`, `from`, \
                             `crate`"
                        )));
                    }
                }
                Ok(())
            });
            if let Err(error) = parsed {
                diagnostics.add(error);
            }
        }
        options
    }
}

/// An event is stored as the fields of its variant; these attributes say otherwise.
fn refuse_serde(attrs: &[Attribute], diagnostics: &mut Diagnostics) {
    const REFUSED: [&str; 7] = [
        "tag",
        "untagged",
        "content",
        "skip",
        "skip_serializing",
        "skip_deserializing",
        "other",
    ];
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        // Anything that is not a list of options is serde's to complain about.
        let _ = attr.parse_nested_meta(|meta| {
            if let Some(word) = REFUSED.iter().find(|word| meta.path.is_ident(*word)) {
                let message = format!(
                    "an event is stored as its name and the fields of its variant: \
                     `#[serde({word})]` cannot be kept"
                );
                diagnostics.at(&meta.path, message);
            }
            if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<syn::Expr>()?;
            } else if meta.input.peek(syn::token::Paren) {
                meta.parse_nested_meta(|inner| {
                    if inner.input.peek(syn::Token![=]) {
                        inner.value()?.parse::<syn::Expr>()?;
                    }
                    Ok(())
                })?;
            }
            Ok(())
        });
    }
}

fn refuse_doubles(events: &[EventModel], diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<&str, &Ident> = HashMap::new();
    for event in events {
        let Some(variant) = &event.variant else {
            continue;
        };
        if let Some(first) = seen.get(event.name.as_str()) {
            let name = &event.name;
            let message = format!(
                "variant `{first}` has the name {name:?} already; an older version of an event is \
                 named with `from`, it is not a variant of its own"
            );
            diagnostics.at(variant, message);
        }
        seen.entry(&event.name).or_insert(variant);
    }
}
