//! The struct half: the entity and its reference type.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, ItemStruct, LitStr};

use crate::diagnostics::Diagnostics;
use crate::entity::options::{Kind, Options};
use crate::event::{self, EventModel};
use crate::names;

/// Expands `#[entity(..)]` on a struct. Complaints never take the struct away.
pub(crate) fn expand(
    options: &Options,
    mut item: ItemStruct,
    mut diagnostics: Diagnostics,
) -> TokenStream {
    refuse_second(&mut item.attrs, &mut diagnostics);
    if options.kind == Kind::Unsaid {
        let message = "say which state model the entity follows: `#[entity(event_sourced)]`, \
                       `#[entity(crud)]` or `#[entity(crdt)]`";
        diagnostics.at_span(Span::call_site(), message);
    }
    let is_generic = names::refuse_generics(&item.generics, "an entity", &mut diagnostics);
    let errors = diagnostics.into_tokens();
    if is_generic {
        return quote!(#item #errors);
    }
    let krate = options.krate();
    let (entity, reference) = (entity(&krate, options, &item), reference(&krate, &item));
    // After an error the missing half would only be one more complaint.
    let check = errors.is_empty().then(|| has_handlers(&krate, &item));
    quote! {
        #item
        #errors
        #reference
        #entity
        #check
    }
}

fn entity(krate: &TokenStream, options: &Options, item: &ItemStruct) -> TokenStream {
    let ident = &item.ident;
    let reference = names::reference(ident);
    let name = options
        .name
        .as_ref()
        .map_or_else(|| names::kebab_case(ident), LitStr::value);
    let settings = settings(krate, options);
    let in_place = matches!(options.kind, Kind::Crud | Kind::Crdt)
        .then(|| quote!(impl #krate::__private::ChangedInPlace for #ident {}));
    let (kind, model) = match options.kind {
        Kind::Crud => (
            quote!(CrudKind),
            in_place_of(krate, options, ident, &name, &crud(krate, ident)),
        ),
        Kind::Crdt => (
            quote!(CrdtKind),
            in_place_of(krate, options, ident, &name, &crdt(krate, ident)),
        ),
        _ => (quote!(EventSourcedKind), quote!()),
    };
    quote! {
        #[automatically_derived]
        impl #krate::entity::Entity for #ident {
            type Kind = #krate::entity::#kind;
            type Ref = #reference;
            const TYPE: &'static ::core::primitive::str = #name;
            const OPTIONS: #krate::entity::Options = #krate::entity::Options::DEFAULT #settings;
        }
        #in_place
        #model
    }
}

/// How a CRUD entity takes a stored state over.
fn crud(krate: &TokenStream, ident: &Ident) -> TokenStream {
    quote_spanned! {ident.span()=>
        fn replace(&mut self, state: &Self::State) {
            *self = #krate::__private::Copied::copied(state);
        }
    }
}

/// How a CRDT entity takes a stored delta over, and what it stores.
fn crdt(krate: &TokenStream, ident: &Ident) -> TokenStream {
    quote_spanned! {ident.span()=>
        fn replace(&mut self, delta: &Self::State) {
            #krate::crdt::Crdt::merge(self, delta);
        }
        fn delta(&mut self) -> ::core::option::Option<Self::State> {
            #krate::crdt::Crdt::take_delta(self)
        }
    }
}

/// A state that is changed in place: it is its own only event.
fn in_place_of(
    krate: &TokenStream,
    options: &Options,
    ident: &Ident,
    name: &str,
    takes_over: &TokenStream,
) -> TokenStream {
    let state = EventModel {
        variant: None,
        name: name.to_owned(),
        version: options.version.unwrap_or(1),
        from: options.from.clone(),
        shape: options.shape.as_ref().map(LitStr::value),
        name_span: ident.span(),
    };
    let event = event::expand_state(state, krate.clone(), ident);
    quote_spanned! {ident.span()=>
        #event
        #[automatically_derived]
        impl #krate::entity::StoredWhole for #ident {
            type State = #ident;
            #takes_over
            fn copied(&self) -> Self {
                #krate::__private::Copied::copied(self)
            }
        }
    }
}

/// The other half exists: asked here, so that the answer points at the struct's name.
fn has_handlers(krate: &TokenStream, item: &ItemStruct) -> TokenStream {
    let ident = &item.ident;
    quote_spanned! {ident.span()=>
        const _: fn() = || {
            fn has_handlers<E: #krate::entity::Behavior>() {}
            has_handlers::<#ident>();
        };
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
            pub fn id(&self) -> &::core::primitive::str {
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
    // Every change stores the whole state.
    let snapshot_every = if options.kind == Kind::Crud {
        Some(quote!(.snapshot_every(0)))
    } else {
        snapshot_every
    };
    quote!(#snapshot_every #passivate_after #key_retention #codec #shape)
}

/// Takes further `#[entity]` attributes off: one holds all options.
fn refuse_second(attrs: &mut Vec<Attribute>, diagnostics: &mut Diagnostics) {
    attrs.retain(|attr| {
        let path = attr.path();
        let last = path.segments.last();
        let is_second = last.is_some_and(|last| last.ident == "entity");
        if is_second {
            diagnostics.at(path, "`#[entity]` is given twice: one holds all options");
        }
        !is_second
    });
}
