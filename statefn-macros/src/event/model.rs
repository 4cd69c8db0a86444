//! What `derive(Event)` understands of an item.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::{Data, DataEnum, DeriveInput, Generics, Type, Variant};

use crate::attribute;
use crate::diagnostics::Diagnostics;
use crate::event::options::Options;
use crate::event::serde_options;
use crate::names;

/// An event type.
pub(crate) struct Model {
    pub(crate) krate: TokenStream,
    pub(crate) ident: Ident,
    /// Empty in a sound model.
    pub(crate) generics: Generics,
    pub(crate) events: Vec<EventModel>,
    pub(crate) is_enum: bool,
    /// Neither struct nor enum.
    pub(crate) is_union: bool,
}

/// One event.
pub(crate) struct EventModel {
    /// The variant; `None` for a struct.
    pub(crate) variant: Option<Ident>,
    pub(crate) name: String,
    pub(crate) version: u32,
    pub(crate) from: Option<Type>,
    /// Names the shape by hand, for an event that cannot be traced.
    pub(crate) shape: Option<String>,
    /// Where the name stands, for complaints.
    pub(crate) name_span: proc_macro2::Span,
}

impl Model {
    /// Reads an item; what is wrong is complained about and left at its default.
    pub(crate) fn read(input: &DeriveInput, diagnostics: &mut Diagnostics) -> Self {
        names::refuse_generics(&input.generics, "an event", diagnostics);
        let options = Options::read(&input.attrs, diagnostics);
        let krate = attribute::krate_tokens(options.krate.as_ref());
        let is_enum = matches!(&input.data, Data::Enum(_));
        let events = match &input.data {
            Data::Struct(data) => {
                serde_options::refuse_on_fields(&data.fields, diagnostics);
                vec![EventModel::new(None, &input.ident, options)]
            }
            Data::Enum(data) => {
                options.refuse_on_enum(diagnostics);
                serde_options::refuse_on_enum(&input.attrs, diagnostics);
                variants(&input.ident, data, diagnostics)
            }
            Data::Union(data) => {
                let message = "an event is a struct or an enum";
                diagnostics.at(data.union_token, message);
                Vec::new()
            }
        };
        Self {
            krate,
            ident: input.ident.clone(),
            generics: input.generics.clone(),
            events,
            is_enum,
            is_union: matches!(&input.data, Data::Union(_)),
        }
    }
}

fn variants(ident: &Ident, data: &DataEnum, diagnostics: &mut Diagnostics) -> Vec<EventModel> {
    if data.variants.is_empty() {
        diagnostics.at(ident, "an event enum has at least one variant");
    }
    let events = data.variants.iter().map(|variant| {
        let Variant { ident, attrs, .. } = variant;
        serde_options::refuse_on_enum(attrs, diagnostics);
        serde_options::refuse_on_fields(&variant.fields, diagnostics);
        let options = Options::read(attrs, diagnostics);
        options.refuse_on_variant(diagnostics);
        EventModel::new(Some(ident.clone()), ident, options)
    });
    let events: Vec<EventModel> = events.collect();
    refuse_doubles(&events, diagnostics);
    events
}

impl EventModel {
    fn new(variant: Option<Ident>, ident: &Ident, options: Options) -> Self {
        let name_span = options
            .name
            .as_ref()
            .map_or_else(|| ident.span(), syn::LitStr::span);
        let name = options.name.map(|name| name.value());
        Self {
            variant,
            name: name.unwrap_or_else(|| ident.unraw().to_string()),
            version: options.version.unwrap_or(1),
            from: options.from,
            shape: options.shape.map(|shape| shape.value()),
            name_span,
        }
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
                "variant `{first}` has the name {name:?} already: an older version of an event is \
                 a struct of its own, named with `from`"
            );
            diagnostics.at_span(event.name_span, message);
        }
        seen.entry(&event.name).or_insert(variant);
    }
}
