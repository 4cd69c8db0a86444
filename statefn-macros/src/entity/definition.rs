//! The struct half: the entity and its reference type.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Attribute, ItemStruct};

use crate::diagnostics::Diagnostics;
use crate::entity::options::Options;
use crate::names;

/// Expands `#[entity(..)]` on a struct. Complaints never take the struct away.
pub(crate) fn expand(
    options: &Options,
    item: &ItemStruct,
    mut diagnostics: Diagnostics,
) -> TokenStream {
    let ident = &item.ident;
    if options.kind.is_none() {
        let message = "say which state model the entity follows: `#[entity(event_sourced)]`";
        diagnostics.at_span(proc_macro2::Span::call_site(), message);
    }
    let is_generic = !item.generics.params.is_empty();
    if is_generic {
        let message =
            "an entity has no generic parameters: its type is stored under one stable name";
        diagnostics.at(&item.generics, message);
    }
    let errors = diagnostics.into_tokens();
    if is_generic {
        return quote!(#item #errors);
    }
    let krate = options.krate();
    let reference = reference(&krate, item);
    let name = options
        .name
        .as_ref()
        .map_or_else(|| names::kebab_case(ident), syn::LitStr::value);
    let settings = settings(&krate, options);
    let reference_ident = names::reference(ident);
    let has_handlers = quote_spanned! {ident.span()=>
        const _: fn() = || {
            fn has_handlers<E: #krate::entity::Behavior>() {}
            has_handlers::<#ident>();
        };
    };
    // After an error the missing half would only be one more complaint.
    let has_handlers = if errors.is_empty() {
        has_handlers
    } else {
        TokenStream::new()
    };
    quote! {
        #item
        #errors
        #reference
        #[automatically_derived]
        impl #krate::entity::Entity for #ident {
            type Kind = #krate::entity::EventSourcedKind;
            type Ref = #reference_ident;
            const TYPE: &'static str = #name;
            const OPTIONS: #krate::entity::Options = #krate::entity::Options::DEFAULT #settings;
        }
        #has_handlers
    }
}

fn reference(krate: &TokenStream, item: &ItemStruct) -> TokenStream {
    let (ident, vis) = (&item.ident, &item.vis);
    let reference = names::reference(ident);
    let summary = format!("Refers to one [`{ident}`] by its id; a cheap handle.");
    let docs: Vec<&Attribute> = item
        .attrs
        .iter()
        .filter(|a| a.path().is_ident("doc"))
        .collect();
    let separator = if docs.is_empty() {
        quote!()
    } else {
        quote!(#[doc = ""])
    };
    let name = reference.to_string();
    quote! {
        #[doc = #summary]
        #separator
        #(#docs)*
        #[derive(::core::clone::Clone)]
        #vis struct #reference {
            __handle: #krate::__private::Handle<#ident>,
        }

        #[automatically_derived]
        impl ::core::fmt::Debug for #reference {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_tuple(#name).field(&self.__handle).finish()
            }
        }

        #[allow(dead_code, unreachable_pub)]
        impl #reference {
            /// The id of the entity.
            pub fn id(&self) -> &str {
                self.__handle.id()
            }
        }

        #[automatically_derived]
        impl #krate::entity::EntityRef for #reference {
            type Entity = #ident;
            fn from_handle(handle: #krate::__private::Handle<#ident>) -> Self {
                Self { __handle: handle }
            }
        }
    }
}

fn settings(krate: &TokenStream, options: &Options) -> TokenStream {
    let duration = |duration: Duration| {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        quote!(::core::time::Duration::from_millis(#millis))
    };
    let snapshot_every = options
        .snapshot_every
        .map(|events| quote!(.snapshot_every(#events)));
    let passivate_after = options.passivate_after.map(|idle| {
        let idle = duration(idle);
        quote!(.passivate_after(#idle))
    });
    let key_retention = options.key_retention.map(|retention| {
        let retention = duration(retention);
        quote!(.key_retention(#retention))
    });
    let codec = options.codec.map(|codec| {
        let codec = quote::format_ident!("{codec}");
        quote!(.codec(#krate::codec::Codec::#codec))
    });
    let shape = options.shape.as_ref().map(|shape| quote!(.shape(#shape)));
    quote!(#snapshot_every #passivate_after #key_retention #codec #shape)
}
