//! `#[entity]` on an impl block: commands, queries and event handlers.

mod expand;
mod handler;
mod method;
mod model;
mod operation;
mod receiver;
mod returns;
mod validate;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ImplItem, ItemImpl, parse_quote};

use crate::diagnostics::Diagnostics;

/// Expands the impl half. Complaints never take the impl block away.
pub(crate) fn expand(
    krate: TokenStream,
    mut item: ItemImpl,
    mut diagnostics: Diagnostics,
) -> TokenStream {
    let entity = validate::entity(&item, &mut diagnostics);
    let model = model::Model::read(&item, &mut diagnostics);
    strip_helpers(&mut item);
    let Some(entity) = entity else {
        let errors = diagnostics.into_tokens();
        return quote!(#item #errors);
    };
    validate::names(&model, &mut diagnostics);
    let errors = diagnostics.into_tokens();
    let is_sound = errors.is_empty();
    let expansion = expand::expand(krate, &entity, &model, is_sound);
    quote!(#item #errors #expansion)
}

/// Takes the helper attributes off, which only `#[entity]` understands, and lets a handler's
/// signature be what it has to be: `&self` also when the state is not read, owned arguments, a
/// `Result` that never is an error.
fn strip_helpers(item: &mut ItemImpl) {
    for member in &mut item.items {
        let ImplItem::Fn(method) = member else {
            continue;
        };
        let before = method.attrs.len();
        method.attrs.retain(|attr| method::Role::of(attr).is_none());
        if method.attrs.len() < before {
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
