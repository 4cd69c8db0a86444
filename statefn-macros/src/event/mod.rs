//! `derive(Event)`: names and versions of an event struct or of an enum of events.

mod expand;
mod model;
mod options;
mod serde_options;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{DeriveInput, parse2};

use crate::diagnostics::Diagnostics;
pub(crate) use model::EventModel;

/// What `derive(Event)` would write for a state that is stored whole, as an event of the entity's name.
pub(crate) fn expand_state(state: EventModel, krate: TokenStream, ident: &Ident) -> TokenStream {
    let model = model::Model {
        krate,
        ident: ident.clone(),
        generics: syn::Generics::default(),
        events: vec![state],
        is_enum: false,
        is_union: false,
    };
    expand::expand(&model, true)
}

/// Expands the derive.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match parse2(item) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut diagnostics = Diagnostics::default();
    let model = model::Model::read(&input, &mut diagnostics);
    let errors = diagnostics.into_tokens();
    let is_sound = errors.is_empty();
    let implementation = expand::expand(&model, is_sound);
    quote!(#errors #implementation)
}
