//! The code behind `#[action]`. Cannot fail: everything was checked before.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::model::{Handler, Model, Parameter};

/// Expands the action.
pub(super) fn expand(krate: &TokenStream, model: &Model) -> TokenStream {
    let Model {
        ident,
        name,
        handlers,
    } = model;
    let handlers = handlers
        .iter()
        .map(|handler| expand_handler(krate, ident, handler));
    quote! {
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic)]
        impl #krate::action::Action for #ident {
            const NAME: &'static ::core::primitive::str = #name;

            fn handlers() -> ::std::vec::Vec<#krate::action::Handler<Self>> {
                ::std::vec![#(#handlers),*]
            }
        }
    }
}

fn expand_handler(krate: &TokenStream, ident: &syn::Ident, handler: &Handler) -> TokenStream {
    let Handler {
        method,
        is_async,
        parameters,
        is_fallible,
        gives_stream,
    } = handler;
    let span = Span::call_site().located_at(method.span());
    let name = method.to_string();
    let takes_stream = handler.takes_stream();
    let await_it = is_async.then(|| quote_spanned!(span=> .await));
    let passed = parameters.iter().map(|parameter| match parameter {
        Parameter::Context => quote_spanned!(span=> &ctx),
        Parameter::Argument(name, _) => quote_spanned!(span=> arguments.#name),
        Parameter::Stream(_) => quote_spanned!(span=> items),
    });
    let call = quote_spanned!(span=> #ident::#method(&action, #(#passed),*)#await_it);
    let answered = quote_spanned!(span=> #krate::action::Answered);
    let good = if *gives_stream {
        quote_spanned!(span=> #answered::items(codec, reply))
    } else {
        quote_spanned!(span=> #answered::one(codec, &reply))
    };
    let answer = if *is_fallible {
        quote_spanned! {span=>
            match #call {
                ::core::result::Result::Ok(reply) => #good,
                ::core::result::Result::Err(error) => #answered::rejected(codec, &error),
            }
        }
    } else {
        quote_spanned!(span=> { let reply = #call; #good })
    };
    let reads = reads(krate, handler, span);
    quote_spanned! {span=>
        #krate::action::Handler::new(
            #krate::action::HandlerInfo {
                name: #name,
                takes_stream: #takes_stream,
                gives_stream: #gives_stream,
            },
            |action, ctx, mut invocation| ::std::boxed::Box::pin(async move {
                let codec = invocation.codec();
                #reads
                #answer
            }),
        )
    }
}

/// Reads what comes in: the arguments as one value, then the stream.
fn reads(krate: &TokenStream, handler: &Handler, span: Span) -> TokenStream {
    let arguments = handler
        .parameters
        .iter()
        .filter_map(|parameter| match parameter {
            Parameter::Argument(name, ty) => Some((name, ty)),
            _ => None,
        });
    let (names, types): (Vec<_>, Vec<_>) = arguments.unzip();
    let stream = handler
        .parameters
        .iter()
        .find_map(|parameter| match parameter {
            Parameter::Stream(item) => Some(item),
            _ => None,
        });
    let items = stream.map(|item| quote_spanned!(span=> let items = invocation.items::<#item>();));
    let serde = format!("{krate}::__private::serde").replace(' ', "");
    // Without arguments, the stream is all that comes in.
    let arguments = (stream.is_none() || !names.is_empty()).then(|| {
        quote_spanned! {span=>
            #[derive(#krate::__private::serde::Deserialize)]
            #[serde(crate = #serde)]
            struct Arguments { #(#names: #types),* }
            let arguments = match invocation.arguments::<Arguments>().await {
                ::core::result::Result::Ok(arguments) => arguments,
                ::core::result::Result::Err(error) => return error.into(),
            };
        }
    });
    quote!(#arguments #items)
}
