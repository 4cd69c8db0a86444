//! The event type of an entity, how events apply, and what `ctx.emit` takes.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;

use crate::behavior::expand::operation::operation_type;
use crate::behavior::expand::scope::{Scope, anchor};
use crate::behavior::handler::Handler;
use crate::behavior::method::Role;
use crate::behavior::model::Model;
use crate::behavior::operation::Operation;
use crate::names;

/// Expands the fold.
pub(super) fn expand(scope: &Scope, model: &Model, is_sound: bool) -> TokenStream {
    let commands = commands(scope, &model.operations);
    let Scope {
        krate,
        entity,
        span,
    } = scope;
    let (event, apply, rest) = match model.handlers.as_slice() {
        // They were complained about.
        [] if model.lost_handlers > 0 => (
            quote_spanned!(*span=> type Event = #krate::__private::NoEvent;),
            quote_spanned!(*span=> match *event {}),
            TokenStream::new(),
        ),
        [] => (
            quote_spanned!(*span=>
                type Event = <#entity as #krate::entity::StoredWhole>::State;
            ),
            quote_spanned!(*span=> #krate::entity::StoredWhole::replace(self, event)),
            told_whole(scope),
        ),
        [handler] => one_type(scope, handler),
        handlers => many_structs(scope, handlers, is_sound),
    };
    let is_in_place = model.handlers.is_empty() && model.lost_handlers == 0;
    let delta = is_in_place.then(|| {
        quote_spanned! {*span=>
            fn take_delta(&mut self) -> ::core::option::Option<Self::Event> {
                #krate::entity::StoredWhole::delta(self)
            }
        }
    });
    let folds = model.handlers.first().map(|handler| folds(scope, handler));
    quote_spanned! {*span=>
        #folds
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, deprecated)]
        impl #krate::entity::Behavior for #entity {
            #event
            fn apply(&mut self, event: &Self::Event) {
                #apply
            }
            #delta
            #commands
            fn same(&self, other: &Self) -> ::core::option::Option<::core::primitive::bool> {
                use #krate::__private::{SameByPartialEq as _, SameUnknown as _};
                (&#krate::__private::States(self, other)).same()
            }
        }
        #rest
    }
}

/// What a CRUD entity tells is its state. Where it is none, that was complained about elsewhere.
fn told_whole(scope: &Scope) -> TokenStream {
    let Scope {
        krate,
        entity,
        span,
    } = scope;
    quote_spanned! {*span=>
        #[automatically_derived]
        impl #krate::projection::ToldBy<#entity> for #entity
        where
            for<'state> #entity: #krate::event::Event,
        {
        }
    }
}

/// The state is a fold of events, so there may be handlers; asked at the first one.
fn folds(scope: &Scope, handler: &Handler) -> TokenStream {
    let Scope {
        krate,
        entity,
        span,
    } = scope.at(handler.method.span());
    quote_spanned! {span=>
        const _: fn() = || {
            fn folds_events<K: #krate::__private::FoldsEvents>() {}
            folds_events::<<#entity as #krate::entity::Entity>::Kind>();
        };
    }
}

/// Shows all commands, so that stored calls find them.
fn commands(scope: &Scope, operations: &[Operation]) -> TokenStream {
    let Scope { krate, span, .. } = scope;
    let visits = operations
        .iter()
        .filter(|operation| operation.role == Role::Command)
        .map(|operation| {
            let cfgs = &operation.cfgs;
            let scope = scope.at(operation.method.span());
            let ty = operation_type(&scope, operation);
            let (krate, span) = (&scope.krate, scope.span);
            quote_spanned!(span=> #(#cfgs)* #krate::command::CommandVisitor::visit::<#ty>(visitor);)
        });
    quote_spanned! {*span=>
        fn commands<V: #krate::command::CommandVisitor<Self>>(visitor: &mut V) {
            let _ = &visitor;
            #(#visits)*
        }
    }
}

/// Calls the handler, unless it was complained about.
fn applied(scope: &Scope, handler: &Handler) -> TokenStream {
    let method = &handler.method;
    let Scope { entity, span, .. } = scope.at(method.span());
    if handler.is_sound {
        quote_spanned!(span=> #entity::#method(self, event))
    } else {
        quote_spanned!(span=> { let _ = event; })
    }
}

/// One event struct, or one enum of all events.
fn one_type(scope: &Scope, handler: &Handler) -> (TokenStream, TokenStream, TokenStream) {
    let event = scope.outside(&handler.event);
    let Scope {
        krate,
        entity,
        span,
    } = scope;
    let apply = applied(scope, handler);
    let into = quote_spanned! {*span=>
        #[automatically_derived]
        impl #krate::entity::EventOf<#entity> for #event {
            fn into_event(self) -> #event { self }
        }
        #[automatically_derived]
        impl #krate::projection::ToldBy<#entity> for #event {}
    };
    let place = scope.at(anchor(&event)).span;
    let event = quote_spanned!(place=> type Event = #event;);
    (event, apply, into)
}

/// A hidden enum of the handled event structs.
fn many_structs(
    scope: &Scope,
    handlers: &[Handler],
    is_sound: bool,
) -> (TokenStream, TokenStream, TokenStream) {
    let Scope {
        krate,
        entity,
        span,
    } = scope;
    let ident = names::events(entity);
    let serde = scope.serde();
    let variants: Vec<Ident> = (0..handlers.len())
        .map(|i| format_ident!("Event{i}"))
        .collect();
    let types: Vec<Type> = handlers.iter().map(|h| scope.outside(&h.event)).collect();
    let applied = handlers.iter().map(|handler| applied(scope, handler));
    let apply = quote_spanned! {*span=>
        match event {
            #(#ident::#variants(event) => #applied,)*
        }
    };
    // After an error these would only be more complaints about the same handlers.
    let checks = is_sound.then(|| checks(scope, &types));
    let implementation = implementation(scope, &ident, &variants, &types);
    let comparison = comparison(scope, &ident, &variants, &types);
    let rest = quote_spanned! {*span=>
        #checks
        #[doc(hidden)]
        #[allow(non_camel_case_types, unreachable_pub, private_interfaces)]
        #[allow(missing_debug_implementations, clippy::all, clippy::pedantic)]
        #[derive(#krate::__private::serde::Serialize, #krate::__private::serde::Deserialize)]
        #[serde(crate = #serde)]
        pub enum #ident {
            #(#variants(#types),)*
        }
        #implementation
        #comparison
        #(
            #[automatically_derived]
            impl #krate::entity::EventOf<#entity> for #types {
                fn into_event(self) -> #ident { #ident::#variants(self) }
            }
            #[automatically_derived]
            impl #krate::projection::ToldBy<#entity> for #types {}
        )*
    };
    let event = quote_spanned!(*span=> type Event = #ident;);
    (event, apply, rest)
}

/// The hidden enum is an event type whose names and versions are those of the structs.
fn implementation(scope: &Scope, ident: &Ident, variants: &[Ident], types: &[Type]) -> TokenStream {
    let Scope { krate, span, .. } = scope;
    let [indices, upcasts, described] = [(); 3].map(|()| 0..types.len());
    quote_spanned! {*span=>
        #[automatically_derived]
        impl #krate::event::Event for #ident {
            const FORM: #krate::event::EventForm = #krate::event::EventForm::Enum;
            const EVENTS: &'static [#krate::event::EventDeclaration] =
                &[#(<#types as #krate::event::Event>::EVENTS[0],)*];
            fn index(&self) -> ::core::primitive::usize {
                match self {
                    #(#ident::#variants(_) => #indices,)*
                }
            }
            fn upcast(
                index: ::core::primitive::usize,
                version: ::core::primitive::u32,
                codec: #krate::codec::Codec,
                payload: &[::core::primitive::u8],
            ) -> ::core::option::Option<
                ::core::result::Result<Self, #krate::codec::DecodeError>,
            > {
                match index {
                    #(#upcasts => <#types as #krate::event::Event>::upcast(
                        0, version, codec, payload,
                    ).map(|event| event.map(#ident::#variants)),)*
                    _ => ::core::option::Option::None,
                }
            }
            fn describe(
                index: ::core::primitive::usize,
                forms: &mut #krate::event::StoredForms,
            ) {
                match index {
                    #(#described => <#types as #krate::event::Event>::describe(0, forms),)*
                    _ => {}
                }
            }
        }
    }
}

/// The hidden enum can be compared and shown when every event can: the test kit asks for it.
fn comparison(scope: &Scope, ident: &Ident, variants: &[Ident], types: &[Type]) -> TokenStream {
    let span = scope.span;
    // A bound without parameters is an error where it does not hold; under `for` it is a
    // condition like any other.
    quote_spanned! {span=>
        #[automatically_derived]
        impl ::core::cmp::PartialEq for #ident
        where
            #(for<'event> #types: ::core::cmp::PartialEq,)*
        {
            fn eq(&self, other: &Self) -> ::core::primitive::bool {
                match (self, other) {
                    #((Self::#variants(left), Self::#variants(right)) => left == right,)*
                    _ => false,
                }
            }
        }
        #[automatically_derived]
        impl ::core::fmt::Debug for #ident
        where
            #(for<'event> #types: ::core::fmt::Debug,)*
        {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self {
                    #(Self::#variants(event) => ::core::fmt::Debug::fmt(event, f),)*
                }
            }
        }
    }
}

/// What only the compiler can tell of the event types.
fn checks(scope: &Scope, types: &[Type]) -> TokenStream {
    let checks = types.iter().enumerate().map(|(index, ty)| {
        let before = types.iter().take(index);
        let Scope { krate, span, .. } = scope.at(anchor(ty));
        quote_spanned! {span=>
            const _: () = {
                ::core::assert!(
                    #krate::__private::is_struct_event::<#ty>(),
                    "an entity has one handler for an enum of all its events, or one handler for \
                     each event struct: this is an enum beside another handler"
                );
                ::core::assert!(
                    #krate::__private::is_new_name::<#ty>(
                        &[#(<#before as #krate::event::Event>::EVENTS),*],
                    ),
                    "another event of this entity has the same stored name"
                );
            };
        }
    });
    quote!(#(#checks)*)
}
