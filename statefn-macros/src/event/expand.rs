//! The code behind `derive(Event)`. Cannot fail: everything was checked before.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Type, parse_quote};

use crate::event::model::Model;

/// Expands the derive. An unsound model is left unchecked, so that one mistake is one complaint.
pub(crate) fn expand(model: &Model, is_sound: bool) -> TokenStream {
    let Model { krate, ident, .. } = model;
    if model.is_union {
        return TokenStream::new();
    }
    let form = if model.is_enum {
        quote!(Enum)
    } else {
        quote!(Struct)
    };
    let declarations = model.events.iter().map(|event| {
        let (name, version) = (&event.name, event.version);
        quote!(#krate::event::EventDeclaration { name: #name, version: #version })
    });
    let index = index(model);
    let (checks, upcast, describe) = if is_sound {
        (checks(model), upcast(model), describe(model))
    } else {
        (quote!(), quote!(::core::option::Option::None), quote!())
    };
    let mut generics = model.generics.clone();
    if !generics.params.is_empty() {
        let clause = generics.make_where_clause();
        clause
            .predicates
            .push(parse_quote!(Self: #krate::__private::Payload));
    }
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #checks
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic)]
        impl #impl_generics #krate::event::Event for #ident #ty_generics #where_clause {
            const FORM: #krate::event::EventForm = #krate::event::EventForm::#form;
            const EVENTS: &'static [#krate::event::EventDeclaration] = &[#(#declarations),*];
            fn index(&self) -> ::core::primitive::usize {
                #index
            }
            #[allow(unused_variables)]
            fn upcast(
                index: ::core::primitive::usize,
                version: ::core::primitive::u32,
                codec: #krate::codec::Codec,
                payload: &[::core::primitive::u8],
            ) -> ::core::option::Option<
                ::core::result::Result<Self, #krate::codec::DecodeError>,
            > {
                #upcast
            }
            #[allow(unused_variables)]
            fn describe(
                index: ::core::primitive::usize,
                forms: &mut #krate::event::StoredForms,
            ) {
                #describe
            }
        }
    }
}

/// Generated code that shows its errors at a type of the user's, also when a macro wrote that.
fn at(ty: &Type) -> Span {
    Span::call_site().located_at(ty.span())
}

fn index(model: &Model) -> TokenStream {
    if !model.is_enum {
        return quote!(0);
    }
    let arms = model
        .events
        .iter()
        .enumerate()
        .filter_map(|(index, event)| {
            let variant = event.variant.as_ref()?;
            Some(quote!(Self::#variant { .. } => #index,))
        });
    quote!(match *self { #(#arms)* })
}

fn upcast(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let arms = model
        .events
        .iter()
        .enumerate()
        .filter_map(|(index, event)| {
            let from = event.from.as_ref()?;
            Some(quote_spanned! {at(from)=>
                #index => ::core::option::Option::Some(
                    #krate::__private::decode_older::<#from>(version, codec, payload)
                        .map(<Self as ::core::convert::From<#from>>::from),
                ),
            })
        });
    quote! {
        match index {
            #(#arms)*
            _ => ::core::option::Option::None,
        }
    }
}

/// Every stored form of each event, older ones first.
fn describe(model: &Model) -> TokenStream {
    let arms = model.events.iter().enumerate().map(|(index, event)| {
        let older = event
            .from
            .as_ref()
            .map(|from| quote_spanned!(at(from)=> forms.older::<#from>();));
        let current = quote!(forms.current::<Self>(#index););
        let named = |shape| quote!(forms.named::<Self>(#index, #shape););
        let current = event.shape.as_ref().map_or(current, named);
        quote!(#index => { #older #current })
    });
    quote! {
        match index {
            #(#arms)*
            _ => {}
        }
    }
}

/// What only the compiler can tell of the types named by `from`.
fn checks(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let checks = model.events.iter().filter_map(|event| {
        let from = event.from.as_ref()?;
        let (name, version) = (&event.name, event.version);
        let is_enum = "`from` expects an event struct, this is an enum of events";
        let other_name = format!(
            "`from` expects an older version of this event, which has its stored name: add \
             `#[event(name = {name:?})]` to the older struct"
        );
        let not_older = format!(
            "`from` expects an older version of this event: its `version` must be below {version}"
        );
        Some(quote_spanned! {at(from)=>
            const _: () = {
                ::core::assert!(#krate::__private::is_struct_event::<#from>(), #is_enum);
                ::core::assert!(#krate::__private::has_name::<#from>(#name), #other_name);
                ::core::assert!(
                    #krate::__private::is_older_than::<#from>(#version),
                    #not_older
                );
            };
        })
    });
    quote!(#(#checks)*)
}
