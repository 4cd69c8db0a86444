//! `#[projection]` on an impl block: handlers that make rows of views of what entities tell.

mod expand;
mod handler;
mod model;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{ImplItem, Item, ItemImpl, parse_quote, parse2};

use crate::diagnostics::Diagnostics;
use handler::Role;
use model::{Model, Options};

/// Expands the attribute. Complaints never take the impl block away.
pub(crate) fn expand(tokens: TokenStream, item: &TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let options = Options::read(tokens, &mut diagnostics);
    let mut item = item.clone();
    let model = match parse2::<Item>(item.clone()) {
        Ok(Item::Impl(mut block)) => {
            let model = Model::read(&block, &mut diagnostics);
            strip_helpers(&mut block);
            item = quote!(#block);
            model
        }
        Ok(_) => {
            let message = "`#[projection]` belongs on the `impl` block with the handlers";
            diagnostics.at_span(Span::call_site(), message);
            None
        }
        Err(error) => {
            diagnostics.add(error);
            None
        }
    };
    let errors = diagnostics.into_tokens();
    let expansion = model
        .filter(|_| errors.is_empty())
        .map(|model| expand::expand(&options, &model));
    quote!(#item #errors #expansion)
}

/// Takes the helper attributes off, and lets a handler's signature be what it has to be.
fn strip_helpers(block: &mut ItemImpl) {
    for member in &mut block.items {
        let ImplItem::Fn(method) = member else {
            continue;
        };
        let before = method.attrs.len();
        method.attrs.retain(|attr| Role::of(attr).is_none());
        if method.attrs.len() < before {
            // First, so that the user's own lint attributes win.
            let allow = parse_quote! {
                #[allow(
                    clippy::needless_pass_by_value,
                    clippy::trivially_copy_pass_by_ref,
                    clippy::unnecessary_wraps,
                    clippy::unused_self
                )]
            };
            method.attrs.insert(0, allow);
        }
    }
}
