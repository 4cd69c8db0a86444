//! `#[action]` on an impl block: handlers without a state.

mod expand;
mod model;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{ImplItem, Item, ItemImpl, parse_quote, parse2};

use crate::attribute;
use crate::diagnostics::Diagnostics;
use model::Model;

/// Expands the attribute. Complaints never take the impl block away.
pub(crate) fn expand(tokens: TokenStream, item: &TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let (mut name, mut krate) = (None, None);
    for entry in attribute::entries([tokens], &mut diagnostics) {
        if entry.word == "name" {
            name = entry.stored_name(&mut diagnostics);
        } else if entry.word == "crate" {
            krate = entry.krate(&mut diagnostics);
        } else {
            entry.unknown(&["name", "crate"], &mut diagnostics);
        }
    }
    let krate = attribute::krate_tokens(krate.as_ref());
    let mut item = item.clone();
    let expansion = match parse2::<Item>(item.clone()) {
        Ok(Item::Impl(mut block)) => {
            let model = Model::read(&block, name, &mut diagnostics);
            allow_what_a_handler_has_to_be(&mut block);
            item = quote!(#block);
            model.map(|model| expand::expand(&krate, &model))
        }
        Ok(_) => {
            let message = "`#[action]` belongs on the `impl` block with the handlers";
            diagnostics.at_span(Span::call_site(), message);
            None
        }
        Err(error) => {
            diagnostics.add(error);
            None
        }
    };
    let errors = diagnostics.into_tokens();
    let expansion = expansion.filter(|_| errors.is_empty());
    quote!(#item #errors #expansion)
}

/// Lets a handler's signature be what it has to be: `&self` also when nothing of it is read, `async`
/// also when nothing is waited for, owned arguments.
fn allow_what_a_handler_has_to_be(block: &mut ItemImpl) {
    for member in &mut block.items {
        if let ImplItem::Fn(method) = member
            && model::is_handler(method)
        {
            // First, so that the user's own lint attributes win.
            let allow = parse_quote! {
                #[allow(
                    clippy::needless_pass_by_value,
                    clippy::trivially_copy_pass_by_ref,
                    clippy::unnecessary_wraps,
                    clippy::unused_async,
                    clippy::unused_self
                )]
            };
            method.attrs.insert(0, allow);
        }
    }
}
