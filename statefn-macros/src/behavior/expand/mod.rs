//! The code behind an impl block. Cannot fail: everything was checked before.

mod events;
mod operation;
mod reference;
mod scope;

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

use crate::behavior::model::Model;
use scope::Scope;

/// Expands the impl half. What is unsound gets stubs only, so that one mistake is one complaint.
pub(super) fn expand(
    krate: TokenStream,
    entity: &Ident,
    model: &Model,
    is_sound: bool,
) -> TokenStream {
    let scope = Scope::new(krate, entity);
    let operations = model
        .operations
        .iter()
        .map(|operation| operation::expand(&scope, operation));
    let reference = reference::expand(&scope, &model.operations);
    let behavior = events::expand(&scope, model, is_sound);
    let registration = is_sound.then(|| registration(&scope));
    quote! {
        #behavior
        #(#operations)*
        #reference
        #registration
    }
}

/// Lets the runtime find the entity in every program that links it.
fn registration(scope: &Scope) -> TokenStream {
    let Scope {
        krate,
        entity,
        span,
    } = scope;
    quote_spanned! {*span=>
        const _: () = {
            use #krate::__private::inventory;
            inventory::submit! { #krate::__private::Registration::of::<#entity>() }
        };
    }
}
