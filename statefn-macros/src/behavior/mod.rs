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
use syn::{ImplItem, ItemImpl};

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
    validate::handlers(&model, &entity, &mut diagnostics);
    let errors = diagnostics.into_tokens();
    let is_sound = errors.is_empty();
    let expansion = expand::expand(krate, &entity, &model, is_sound);
    quote!(#item #errors #expansion)
}

/// Takes the helper attributes off, which only `#[entity]` understands.
fn strip_helpers(item: &mut ItemImpl) {
    for member in &mut item.items {
        if let ImplItem::Fn(method) = member {
            method.attrs.retain(|attr| method::Role::of(attr).is_none());
        }
    }
}
