//! `derive(Event)`: names and versions of an event struct or of an enum of events.

mod expand;
mod model;
mod options;
mod serde_options;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, parse2};

use crate::diagnostics::Diagnostics;

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
