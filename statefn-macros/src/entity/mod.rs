//! `#[entity]`: on a struct it makes the entity, on an impl block its behavior.

mod definition;
mod options;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Item, parse2};

use crate::behavior;
use crate::diagnostics::Diagnostics;
use options::Options;

/// Expands the attribute on either half.
pub(crate) fn expand(tokens: TokenStream, item: &TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let options = Options::read(tokens, &mut diagnostics);
    match parse2::<Item>(item.clone()) {
        Ok(Item::Struct(item)) => return definition::expand(&options, item, diagnostics),
        Ok(Item::Impl(item)) => {
            options.refuse_on_impl(&mut diagnostics);
            return behavior::expand(options.krate(), item, diagnostics);
        }
        Ok(Item::Enum(item)) => {
            let message = "an entity is a struct: put the enum in a field of one";
            diagnostics.at(item.enum_token, message);
        }
        Ok(_) => {
            let message = "`#[entity]` belongs on a struct or on its `impl` block";
            diagnostics.at_span(Span::call_site(), message);
        }
        Err(error) => diagnostics.add(error),
    }
    let errors = diagnostics.into_tokens();
    quote!(#errors #item)
}
