//! The hidden type of an operation, and how it runs.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::Type;

use crate::behavior::expand::scope::{Scope, anchor};
use crate::behavior::method::Role;
use crate::behavior::operation::{Operation, Parameter};
use crate::behavior::returns::{Returns, first_type, last_type};
use crate::names;

/// Expands one operation.
pub(super) fn expand(scope: &Scope, operation: &Operation) -> TokenStream {
    let scope = &scope.at(operation.method.span());
    let Scope {
        krate,
        entity,
        span,
    } = scope;
    let Operation { cfgs, .. } = operation;
    let ty = operation_type(scope, operation);
    let name = &operation.stored_name;
    let answer = answer_types(scope, operation);
    let (mode, run) = match operation.role {
        Role::Query => ("Reads", query(scope, operation, &ty)),
        _ if operation.asyncness.is_some() => ("Waits", command(scope, operation, &ty)),
        _ => ("Writes", command(scope, operation, &ty)),
    };
    let mode = Ident::new(mode, *span);
    let (definition, checks) = (definition(scope, operation), checks(scope, operation));
    quote_spanned! {*span=>
        #checks
        #definition
        #(#cfgs)*
        #[automatically_derived]
        impl #krate::command::Operation for #ty {
            type Entity = #entity;
            #answer
            type Mode = #krate::command::#mode;
            const NAME: &'static ::core::primitive::str = #name;
        }
        #(#cfgs)*
        #run
    }
}

/// The type with its arguments: `__Cart_add_item<Cart, String, i64>`.
pub(super) fn operation_type(scope: &Scope, operation: &Operation) -> TokenStream {
    let Scope { entity, span, .. } = scope;
    let ident = names::operation(entity, &operation.method);
    let types = known_arguments(operation).map(|(_, ty)| scope.outside(ty));
    quote_spanned!(*span=> #ident<#entity #(, #types)*>)
}

fn known_arguments(operation: &Operation) -> impl Iterator<Item = (&Ident, &Type)> {
    operation
        .arguments()
        .filter_map(|argument| Some((&argument.name, argument.ty.as_deref()?)))
}

/// The definition. Generic over the entity so that it is as visible as the entity is, and over the
/// arguments so that serde's derive asks nothing of them: the checks do, in words of our own.
fn definition(scope: &Scope, operation: &Operation) -> TokenStream {
    let Scope {
        krate,
        entity,
        span,
    } = scope;
    let ident = names::operation(entity, &operation.method);
    let (cfgs, serde) = (&operation.cfgs, scope.serde());
    let names: Vec<&Ident> = known_arguments(operation).map(|(name, _)| name).collect();
    let types: Vec<Ident> = (0..names.len())
        .map(|index| format_ident!("A{index}", span = *span))
        .collect();
    let is_command = operation.role == Role::Command;
    let derives = is_command.then(|| {
        quote_spanned! {*span=>
            #[derive(#krate::__private::serde::Serialize, #krate::__private::serde::Deserialize)]
            #[serde(crate = #serde)]
        }
    });
    let skip = is_command.then(|| quote_spanned!(*span=> #[serde(skip)]));
    quote_spanned! {*span=>
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, unreachable_pub, missing_debug_implementations)]
        #[allow(clippy::all, clippy::pedantic)]
        #derives
        pub struct #ident<E #(, #types)*> {
            #(#names: #types,)*
            #skip
            __entity: ::core::marker::PhantomData<fn() -> E>,
        }
    }
}

/// The associated types of the answer; what is wrong with one shows where it is written.
fn answer_types(scope: &Scope, operation: &Operation) -> TokenStream {
    let plain = |name: &str, ty: &Type| {
        let Scope { span, .. } = scope.at(anchor(ty));
        let (name, ty) = (Ident::new(name, span), scope.outside(ty));
        quote_spanned!(span=> type #name = #ty;)
    };
    // Whatever alias of `Result` it is, the compiler knows its two types.
    let part = |name: &str, whole: &Type, part: &str, place: &Type| {
        let Scope { krate, span, .. } = scope.at(anchor(place));
        let (name, part) = (Ident::new(name, span), Ident::new(part, span));
        let whole = scope.outside(whole);
        quote_spanned!(span=> type #name = <#whole as #krate::__private::ResultParts>::#part;)
    };
    let Scope { krate, span, .. } = scope;
    let infallible = quote_spanned!(*span=> type Error = #krate::Infallible;);
    let (reply, error) = match &operation.returns {
        Returns::Plain(None) => (quote_spanned!(*span=> type Reply = ();), infallible),
        Returns::Plain(Some(ty)) | Returns::Then(ty) => (plain("Reply", ty), infallible),
        Returns::Forward { whole } => (
            forwarded(scope, whole, whole, "Reply"),
            forwarded(scope, whole, whole, "Error"),
        ),
        Returns::FallibleForward { whole } => (
            forwarded(scope, whole, first_type(whole), "Reply"),
            part("Error", whole, "Err", last_type(whole)),
        ),
        Returns::Fallible { whole } => (
            part("Reply", whole, "Ok", first_type(whole)),
            part("Error", whole, "Err", last_type(whole)),
        ),
        Returns::FallibleThen { whole, reply } => (
            plain("Reply", reply),
            part("Error", whole, "Err", last_type(whole)),
        ),
    };
    quote_spanned!(*span=> #reply #error)
}

/// A type of the target's answer, by the compiler's understanding of `Forward<..>`.
fn forwarded(scope: &Scope, whole: &Type, forward: &Type, name: &str) -> TokenStream {
    let Scope { krate, span, .. } = scope.at(anchor(forward));
    let name = Ident::new(name, span);
    let is_whole = std::ptr::eq(whole, forward);
    let whole = scope.outside(whole);
    let forward = if is_whole {
        quote_spanned!(span=> #whole)
    } else {
        quote_spanned!(span=> <#whole as #krate::__private::ResultParts>::Ok)
    };
    quote_spanned!(span=> type #name = <#forward as #krate::__private::ForwardParts>::#name;)
}

/// What only the compiler can tell.
fn checks(scope: &Scope, operation: &Operation) -> TokenStream {
    let cfgs = &operation.cfgs;
    // An alias that hides a `Result` would make every rejection a successful reply.
    let alias = match &operation.returns {
        Returns::Plain(Some(ty)) => {
            let Scope { krate, span, .. } = scope.at(anchor(ty));
            let ty = scope.outside(ty);
            quote_spanned! {span=>
                #(#cfgs)*
                const _: () = {
                    #[allow(unused_imports)]
                    use #krate::__private::NotResult as _;
                    ::core::assert!(
                        !#krate::__private::ReplyProbe::<#ty>::IS_RESULT,
                        "this return type is an alias of `Result`: write `Result<T, E>` out, so \
                         that its `Err` becomes a rejection"
                    );
                };
            }
        }
        _ => TokenStream::new(),
    };
    let receiver = operation.exclusive.as_ref().map(|mutability| {
        let Scope {
            krate,
            entity,
            span,
        } = scope.at(mutability.span);
        quote_spanned! {span=>
            #(#cfgs)*
            const _: fn() = || {
                fn changed_in_place<E: #krate::__private::ChangedInPlace>() {}
                changed_in_place::<#entity>();
            };
        }
    });
    let borrows = operation
        .asyncness
        .as_ref()
        .filter(|_| operation.exclusive.is_none());
    let held = borrows.map(|asyncness| {
        let Scope {
            krate,
            entity,
            span,
        } = scope.at(asyncness.span);
        quote_spanned! {span=>
            #(#cfgs)*
            const _: fn() = || {
                fn held<E: #krate::__private::HeldAcrossAwait>() {}
                held::<#entity>();
            };
        }
    });
    let payloads = known_arguments(operation).map(|(_, ty)| payload(scope, operation, ty));
    let span = scope.span;
    quote_spanned!(span=> #alias #receiver #held #(#payloads)*)
}

/// An argument can be stored and sent; asked at its type.
fn payload(scope: &Scope, operation: &Operation, ty: &Type) -> TokenStream {
    let cfgs = &operation.cfgs;
    let Scope { krate, span, .. } = scope.at(anchor(ty));
    let ty = scope.outside(ty);
    quote_spanned! {span=>
        #(#cfgs)*
        const _: fn() = || {
            fn payload<T: #krate::__private::Payload>() {}
            payload::<#ty>();
        };
    }
}

fn invocation(scope: &Scope, operation: &Operation) -> TokenStream {
    let Scope { entity, span, .. } = scope;
    let method = &operation.method;
    if !operation.is_sound {
        return quote_spanned!(*span=> ::core::unreachable!());
    }
    let parameters = operation
        .parameters
        .iter()
        .map(|parameter| match parameter {
            Parameter::Context(ty) => {
                // A mismatch points at the type that is wrong.
                let place = ty.as_ref().map_or(*span, |ty| scope.at(anchor(ty)).span);
                quote_spanned!(place=> ctx)
            }
            Parameter::Argument(argument) => {
                let name = &argument.name;
                quote_spanned!(*span=> self.#name)
            }
        });
    quote_spanned!(*span=> #entity::#method(entity, #(#parameters),*))
}

fn command(scope: &Scope, operation: &Operation, ty: &TokenStream) -> TokenStream {
    let Scope {
        krate,
        entity,
        span,
    } = scope;
    let call = invocation(scope, operation);
    let is_async = operation.asyncness.is_some() && operation.is_sound;
    let call = if is_async {
        quote_spanned!(*span=> #call.await)
    } else {
        call
    };
    let handled = quote_spanned!(*span=> #krate::reply::Handled);
    let body = handled_answer(scope, operation, &call);
    let receiver = operation
        .exclusive
        .is_none()
        .then(|| quote_spanned!(*span=> let entity: &#entity = entity;));
    let asyncness = &operation.asyncness;
    let role = if asyncness.is_some() {
        "AsyncCommand"
    } else {
        "Command"
    };
    let role = Ident::new(role, *span);
    quote_spanned! {*span=>
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic)]
        #[allow(deprecated, unused_variables, unreachable_code)]
        impl #krate::command::#role for #ty {
            #asyncness fn handle(
                self,
                entity: &mut #entity,
                ctx: &mut #krate::Context<#entity>,
            ) -> #handled<
                #entity,
                <Self as #krate::command::Operation>::Reply,
                <Self as #krate::command::Operation>::Error,
            > {
                #receiver
                #body
            }
        }
    }
}

/// What the handler returned, as the runtime takes it.
fn handled_answer(scope: &Scope, operation: &Operation, call: &TokenStream) -> TokenStream {
    let Scope { krate, span, .. } = scope;
    let handled = quote_spanned!(*span=> #krate::reply::Handled);
    match &operation.returns {
        Returns::Plain(_) => quote_spanned!(*span=> #handled::Reply(#call)),
        Returns::Then(_) => quote_spanned!(*span=> #handled::Then(#call)),
        Returns::Forward { .. } => quote_spanned!(*span=> #handled::Forward(#call)),
        Returns::FallibleForward { whole } => {
            // Two rejections of different types show where the forward is written.
            let place = scope.at(anchor(first_type(whole))).span;
            let forward = quote_spanned! {place=>
                #krate::__private::ForwardWith::<
                    <Self as #krate::command::Operation>::Reply,
                    <Self as #krate::command::Operation>::Error,
                >::into_forward(forward)
            };
            quote_spanned! {*span=>
                match #call {
                    ::core::result::Result::Ok(forward) => #handled::Forward(#forward),
                    ::core::result::Result::Err(rejection) => #handled::Rejected(rejection),
                }
            }
        }
        Returns::Fallible { .. } => quote_spanned! {*span=>
            match #call {
                ::core::result::Result::Ok(reply) => #handled::Reply(reply),
                ::core::result::Result::Err(rejection) => #handled::Rejected(rejection),
            }
        },
        Returns::FallibleThen { .. } => quote_spanned! {*span=>
            match #call {
                ::core::result::Result::Ok(then) => #handled::Then(then),
                ::core::result::Result::Err(rejection) => #handled::Rejected(rejection),
            }
        },
    }
}

fn query(scope: &Scope, operation: &Operation, ty: &TokenStream) -> TokenStream {
    let Scope {
        krate,
        entity,
        span,
    } = scope;
    let call = invocation(scope, operation);
    let body = match &operation.returns {
        Returns::Fallible { .. }
        | Returns::FallibleThen { .. }
        | Returns::FallibleForward { .. } => call,
        Returns::Plain(_) | Returns::Then(_) | Returns::Forward { .. } => {
            quote_spanned!(*span=> ::core::result::Result::Ok(#call))
        }
    };
    quote_spanned! {*span=>
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic)]
        #[allow(deprecated, unused_variables, unreachable_code)]
        impl #krate::command::Query for #ty {
            fn answer(
                self,
                entity: &#entity,
            ) -> ::core::result::Result<
                <Self as #krate::command::Operation>::Reply,
                <Self as #krate::command::Operation>::Error,
            > {
                #body
            }
        }
    }
}
