//! The code behind `derive(Event)`. Cannot fail: everything was checked before.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::event::model::Model;

/// Expands the derive.
pub(crate) fn expand(ident: &Ident, model: &Model) -> TokenStream {
    let krate = &model.krate;
    let form = if model.is_enum {
        quote!(Enum)
    } else {
        quote!(Struct)
    };
    let declarations = model.events.iter().map(|event| {
        let (name, version) = (&event.name, event.version);
        quote!(#krate::event::EventDeclaration { name: #name, version: #version })
    });
    let index = if model.is_enum {
        let arms = model
            .events
            .iter()
            .enumerate()
            .filter_map(|(index, event)| {
                let variant = event.variant.as_ref()?;
                Some(quote!(Self::#variant { .. } => #index,))
            });
        quote!(match self { #(#arms)* })
    } else {
        quote!(0)
    };
    let upcasts = model
        .events
        .iter()
        .enumerate()
        .filter_map(|(index, event)| {
            let from = event.from.as_ref()?;
            Some(quote_spanned! {from.span()=>
                #index => ::core::option::Option::Some(
                    #krate::__private::decode_older::<#from>(version, codec, payload)
                        .map(<Self as ::core::convert::From<#from>>::from),
                ),
            })
        });
    let checks = model.events.iter().filter_map(|event| {
        let from = event.from.as_ref()?;
        let (name, version) = (&event.name, event.version);
        Some(quote_spanned! {from.span()=>
            ::core::assert!(
                #krate::__private::is_older::<#from>(#name, #version),
                "the type named by `from` is an event struct of the same name and an older version"
            );
        })
    });
    quote! {
        const _: () = {
            #(#checks)*
        };
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic)]
        impl #krate::event::Event for #ident {
            const FORM: #krate::event::EventForm = #krate::event::EventForm::#form;
            const EVENTS: &'static [#krate::event::EventDeclaration] = &[#(#declarations),*];
            fn index(&self) -> usize {
                #index
            }
            #[allow(unused_variables)]
            fn upcast(
                index: usize,
                version: u32,
                codec: #krate::codec::Codec,
                payload: &[u8],
            ) -> ::core::option::Option<
                ::core::result::Result<Self, #krate::codec::DecodeError>,
            > {
                match index {
                    #(#upcasts)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    }
}
