//! `#[statefn::main]` and `#[statefn::test]`: an async function on a tokio runtime.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ItemFn, parse2};

use crate::attribute;
use crate::diagnostics::Diagnostics;

/// Which of the two attributes.
pub(crate) enum Flavor {
    Main,
    Test,
}

/// Expands either attribute. Complaints never take the function away.
pub(crate) fn expand(options: TokenStream, item: &TokenStream, flavor: &Flavor) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let krate = krate(options, &mut diagnostics);
    let Ok(mut function) = parse2::<ItemFn>(item.clone()) else {
        let span = proc_macro2::Span::call_site();
        diagnostics.at_span(span, "this attribute belongs on an `async fn`");
        let errors = diagnostics.into_tokens();
        return quote!(#errors #item);
    };
    if function.sig.asyncness.take().is_none() {
        diagnostics.at(function.sig.fn_token, "expected `async fn`");
    }
    for input in &function.sig.inputs {
        diagnostics.at(input, "expected a function without parameters");
    }
    let errors = diagnostics.into_tokens();
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
        ..
    } = function;
    let (test, builder) = match flavor {
        Flavor::Main => (quote!(), quote!(new_multi_thread)),
        Flavor::Test => (
            quote!(#[::core::prelude::v1::test]),
            quote!(new_current_thread),
        ),
    };
    quote! {
        #errors
        #test
        #(#attrs)*
        #vis #sig {
            let body = async #block;
            #krate::__private::block_on(
                #krate::__private::tokio::runtime::Builder::#builder(),
                body,
            )
        }
    }
}

fn krate(options: TokenStream, diagnostics: &mut Diagnostics) -> TokenStream {
    let mut path = None;
    for entry in attribute::entries([options], diagnostics) {
        if entry.word == "crate" {
            path = entry.krate(diagnostics);
        } else {
            entry.unknown(&["crate"], diagnostics);
        }
    }
    attribute::krate_tokens(path.as_ref())
}
