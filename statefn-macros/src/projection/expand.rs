//! The code behind `#[projection]`. Cannot fail: everything was checked before.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, LitStr};

use crate::attribute;
use crate::names;
use crate::projection::handler::Handler;
use crate::projection::model::{Model, Options};

/// Expands the projection.
pub(super) fn expand(options: &Options, model: &Model) -> TokenStream {
    let krate = attribute::krate_tokens(options.krate.as_ref());
    let ident = &model.ident;
    let name = options
        .name
        .as_ref()
        .map_or_else(|| names::kebab_case(ident), LitStr::value);
    let version = options.version.unwrap_or(1);
    let start = if options.starts_now {
        quote!(Now)
    } else {
        quote!(Beginning)
    };
    let sources = model
        .handlers
        .iter()
        .map(|handler| source(&krate, ident, handler));
    let listed = options
        .views
        .iter()
        .map(|view| quote_spanned!(view.span()=> views.view::<#view>();));
    let kept = options.views.iter().enumerate().map(|(place, view)| {
        let place = u16::try_from(place).unwrap_or(u16::MAX);
        quote_spanned! {view.span()=>
            #[automatically_derived]
            impl #krate::projection::KeptView for #view {
                type Projection = #ident;
            }
            #[automatically_derived]
            impl #krate::projection::ViewOf<#ident> for #view {
                const PLACE: ::core::primitive::u16 = #place;
            }
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic)]
        impl #krate::projection::Projection for #ident {
            const NAME: &'static ::core::primitive::str = #name;
            const VERSION: ::core::primitive::u32 = #version;
            const START: #krate::projection::Start = #krate::projection::Start::#start;

            fn sources(sources: &mut #krate::projection::Sources<Self>) {
                #(#sources)*
            }

            fn views(views: &mut #krate::projection::ViewList) {
                #(#listed)*
            }
        }
        #(#kept)*
        const _: () = {
            use #krate::__private::inventory;
            inventory::submit! { #krate::projection::ProjectionRegistration::of::<#ident>() }
        };
    }
}

fn source(krate: &TokenStream, ident: &Ident, handler: &Handler) -> TokenStream {
    let Handler {
        method,
        entity,
        event,
    } = handler;
    let span = Span::call_site().located_at(method.span());
    let call = quote_spanned! {span=>
        |projection, told, from, views| {
            #krate::projection::HandlerOutcome::into_result(
                #ident::#method(projection, told, from, views)
            )
        }
    };
    if let Some(event) = event {
        quote_spanned!(event.span()=> sources.event::<#entity, #event>(#call);)
    } else {
        quote_spanned!(entity.span()=> sources.removal::<#entity>(#call);)
    }
}
