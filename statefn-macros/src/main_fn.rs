//! `#[statefn::main]` and `#[statefn::test]`: an async function on a tokio runtime.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ItemFn, parse2};

use crate::diagnostics::Diagnostics;

/// Which of the two attributes.
pub(crate) enum Flavor {
    Main,
    Test,
}

/// Expands either attribute.
pub(crate) fn expand(options: TokenStream, item: TokenStream, flavor: &Flavor) -> TokenStream {
    let mut function: ItemFn = match parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#error #item);
        }
    };
    let mut diagnostics = Diagnostics::default();
    if !options.is_empty() {
        diagnostics.at(&options, "this attribute takes no options");
    }
    if function.sig.asyncness.take().is_none() {
        diagnostics.at(function.sig.fn_token, "expected an `async fn`");
    }
    if !function.sig.inputs.is_empty() {
        diagnostics.at(
            &function.sig.inputs,
            "expected a function without arguments",
        );
    }
    let errors = diagnostics.into_tokens();
    if !errors.is_empty() {
        return quote!(#errors #item);
    }
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
        #test
        #(#attrs)*
        #vis #sig {
            let body = async #block;
            ::statefn::__private::block_on(
                ::statefn::__private::tokio::runtime::Builder::#builder(),
                body,
            )
        }
    }
}
