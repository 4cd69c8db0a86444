//! Collects complaints, so that one compilation shows all of them.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};

/// All complaints about one item.
#[derive(Default)]
pub(crate) struct Diagnostics {
    error: Option<syn::Error>,
}

impl Diagnostics {
    /// Complains about `tokens`.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.add(syn::Error::new_spanned(tokens, message));
    }

    /// Complains about a place.
    pub(crate) fn at_span(&mut self, span: Span, message: impl std::fmt::Display) {
        self.add(syn::Error::new(span, message));
    }

    /// Takes over a complaint of the parser.
    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.error {
            Some(all) => all.combine(error),
            None => self.error = Some(error),
        }
    }

    /// The complaints as tokens; nothing when there are none.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.error
            .map(syn::Error::into_compile_error)
            .unwrap_or_default()
    }
}

/// A helper attribute outside its place: says where it belongs and keeps the item.
pub(crate) fn misplaced(attribute: &str, item: &TokenStream) -> TokenStream {
    misplaced_beside(attribute, "entity", item)
}

/// The same for one that belongs to another attribute.
pub(crate) fn misplaced_beside(attribute: &str, owner: &str, item: &TokenStream) -> TokenStream {
    let message =
        format!("`#[{attribute}]` belongs on a method inside an `impl` block with `#[{owner}]`");
    let error = syn::Error::new(Span::call_site(), message).into_compile_error();
    quote!(#error #item)
}
