//! A projection, understood and checked.

use proc_macro2::{Ident, TokenStream};
use syn::{ImplItem, ItemImpl, LitStr, Path, Type};

use crate::attribute;
use crate::diagnostics::Diagnostics;
use crate::names;
use crate::projection::handler::{Handler, Role};

const KNOWN: [&str; 5] = ["name", "version", "views", "start", "crate"];

/// The options of the attribute.
pub(super) struct Options {
    pub(super) name: Option<LitStr>,
    pub(super) version: Option<u32>,
    pub(super) views: Vec<Type>,
    pub(super) starts_now: bool,
    pub(super) krate: Option<Path>,
}

impl Options {
    pub(super) fn read(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let mut options = Self {
            name: None,
            version: None,
            views: Vec::new(),
            starts_now: false,
            krate: None,
        };
        let mut has_views = false;
        for entry in attribute::entries([tokens], diagnostics) {
            match entry.word.to_string().as_str() {
                "name" => options.name = entry.stored_name(diagnostics),
                "version" => options.version = entry.version(diagnostics),
                "views" => {
                    has_views = true;
                    let expected = "the views that it keeps: `views = SoldPerSku`, or several in \
                                    parentheses";
                    options.views = match entry.ty(expected, diagnostics) {
                        Some(Type::Tuple(tuple)) => tuple.elems.into_iter().collect(),
                        Some(Type::Paren(paren)) => vec![*paren.elem],
                        Some(ty) => vec![ty],
                        None => continue,
                    };
                    if options.views.is_empty() {
                        entry.expected(expected, diagnostics);
                    }
                }
                "start" => {
                    let expected = "`\"beginning\"` or `\"now\"`";
                    let word = entry.string(expected, diagnostics);
                    match word.as_ref().map(LitStr::value).as_deref() {
                        Some("now") => options.starts_now = true,
                        Some("beginning") | None => {}
                        Some(_) => entry.expected(expected, diagnostics),
                    }
                }
                "crate" => options.krate = entry.krate(diagnostics),
                _ => entry.unknown(&KNOWN, diagnostics),
            }
        }
        if !has_views {
            let message = "which views does it keep? Say `views = SoldPerSku`, or several in \
                           parentheses";
            diagnostics.at_span(proc_macro2::Span::call_site(), message);
        }
        options
    }
}

/// A projection.
pub(super) struct Model {
    pub(super) ident: Ident,
    pub(super) handlers: Vec<Handler>,
}

impl Model {
    /// Reads an impl block; what is wrong is complained about.
    pub(super) fn read(block: &ItemImpl, diagnostics: &mut Diagnostics) -> Option<Self> {
        if let Some((path, _)) = &block.trait_ {
            let message = "`#[projection]` belongs on the type's own `impl` block, not a trait's";
            diagnostics.at(path, message);
            return None;
        }
        if names::refuse_generics(&block.generics, "a projection", diagnostics) {
            return None;
        }
        let ident = match &*block.self_ty {
            Type::Path(path) if path.qself.is_none() => path.path.get_ident().cloned(),
            _ => None,
        };
        let Some(ident) = ident else {
            diagnostics.at(&block.self_ty, "expected the plain name of a type");
            return None;
        };
        let (mut handlers, mut found) = (Vec::<Handler>::new(), 0);
        for member in &block.items {
            let ImplItem::Fn(method) = member else {
                continue;
            };
            let roles = method.attrs.iter().filter_map(|a| Some((a, Role::of(a)?)));
            for (attr, role) in roles {
                found += 1;
                let Some(handler) = Handler::read(method, attr, role, diagnostics) else {
                    continue;
                };
                if let Some(first) = handlers.iter().find(|h| h.hears() == handler.hears()) {
                    let message = format!("`{}` hears the same already", first.method);
                    diagnostics.at(&handler.method, message);
                }
                handlers.push(handler);
            }
        }
        if found == 0 {
            let message = "a projection without an `#[event_handler]` hears nothing";
            diagnostics.at(&ident, message);
        }
        Some(Self { ident, handlers })
    }
}
