//! A row of a view, understood and checked.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Field as Syntax, Fields, ItemStruct, LitStr, Path, Type};

use crate::attribute;
use crate::diagnostics::Diagnostics;
use crate::names;

const KNOWN: [&str; 4] = ["name", "codec", "shape", "crate"];

/// The options of the attribute.
pub(super) struct Options {
    pub(super) name: Option<LitStr>,
    pub(super) codec: Option<&'static str>,
    pub(super) shape: Option<LitStr>,
    pub(super) krate: Option<Path>,
}

impl Options {
    pub(super) fn read(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let mut options = Self {
            name: None,
            codec: None,
            shape: None,
            krate: None,
        };
        for entry in attribute::entries([tokens], diagnostics) {
            match entry.word.to_string().as_str() {
                "name" => options.name = entry.stored_name(diagnostics),
                "codec" => options.codec = entry.codec(diagnostics),
                "shape" => {
                    let expected = "a string: `shape = \"row-1\"`";
                    options.shape = entry.string(expected, diagnostics);
                }
                "crate" => options.krate = entry.krate(diagnostics),
                _ => entry.unknown(&KNOWN, diagnostics),
            }
        }
        options
    }
}

/// What a row is found by.
pub(super) struct Model {
    pub(super) key: Vec<Field>,
    pub(super) indexes: Vec<Field>,
}

/// A field that is part of the key, or has an index.
pub(super) struct Field {
    ident: Ident,
    pub(super) name: String,
    pub(super) ty: Type,
}

impl Model {
    /// Reads a struct and takes its helper attributes off; what is wrong is complained about.
    pub(super) fn read(item: &mut ItemStruct, diagnostics: &mut Diagnostics) -> Option<Self> {
        if names::refuse_generics(&item.generics, "a row of a view", diagnostics) {
            return None;
        }
        let Fields::Named(fields) = &mut item.fields else {
            let message = "a row of a view has fields with names: keys and indexes are named after \
                           them";
            diagnostics.at(&item.ident, message);
            return None;
        };
        let (mut key, mut indexes) = (Vec::new(), Vec::new());
        for field in &mut fields.named {
            let (is_key, is_index) = (
                take(field, "key", diagnostics),
                take(field, "index", diagnostics),
            );
            key.extend(is_key.then(|| Field::of(field)).flatten());
            indexes.extend(is_index.then(|| Field::of(field)).flatten());
        }
        if key.is_empty() {
            let message = "which field is a row found by? Put `#[key]` on it, or on several";
            diagnostics.at(&item.ident, message);
            return None;
        }
        if key.len() > 4 {
            diagnostics.at(&item.ident, "a key has four parts at most");
        }
        Some(Self { key, indexes })
    }
}

impl Field {
    fn of(field: &Syntax) -> Option<Self> {
        let ident = field.ident.clone()?;
        Some(Self {
            name: ident.unraw().to_string(),
            ident,
            ty: field.ty.clone(),
        })
    }

    /// The constant that names the field's index: `SOLD`.
    pub(super) fn constant(&self) -> Ident {
        Ident::new(&self.name.to_uppercase(), self.ident.span())
    }

    /// Writes the field as a key.
    pub(super) fn write(&self, krate: &TokenStream) -> TokenStream {
        let ident = &self.ident;
        quote_spanned!(self.ty.span()=> #krate::view::Key::write(&self.#ident, key);)
    }
}

/// Takes a helper attribute off. Whether there was one.
fn take(field: &mut Syntax, helper: &str, diagnostics: &mut Diagnostics) -> bool {
    let is_helper = |attr: &Attribute| attr.path().is_ident(helper);
    let found: Vec<Attribute> = field
        .attrs
        .iter()
        .filter(|a| is_helper(a))
        .cloned()
        .collect();
    field.attrs.retain(|attr| !is_helper(attr));
    for attr in &found {
        let options = attribute::arguments(attr, diagnostics);
        if !options.is_empty() {
            diagnostics.at(options, format!("`#[{helper}]` has no options"));
        }
    }
    if let [_, second, ..] = found.as_slice() {
        diagnostics.at(second, format!("`#[{helper}]` is given twice"));
    }
    !found.is_empty()
}
