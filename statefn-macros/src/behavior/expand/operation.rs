//! The hidden type of an operation, and how it runs.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::behavior::expand::scope::Scope;
use crate::behavior::model::Role;
use crate::behavior::operation::{Operation, Parameter};
use crate::behavior::returns::Returns;
use crate::names;

/// Expands one operation.
pub(super) fn expand(scope: &Scope<'_>, operation: &Operation) -> TokenStream {
    let Scope { krate, entity } = scope;
    let Operation { cfgs, .. } = operation;
    let ident = names::operation(entity, &operation.method);
    let name = &operation.stored_name;
    let (reply, error) = answer_types(scope, operation);
    let (mode, run) = match operation.role {
        Role::Query => (quote!(Reads), query(scope, operation, &ident)),
        _ => (quote!(Writes), command(scope, operation, &ident)),
    };
    let (definition, checks) = (
        definition(scope, operation, &ident),
        checks(scope, operation),
    );
    quote! {
        #checks
        #definition
        #(#cfgs)*
        #[automatically_derived]
        impl #krate::command::Operation for #ident<#entity> {
            type Entity = #entity;
            type Reply = #reply;
            type Error = #error;
            type Mode = #krate::command::#mode;
            const NAME: &'static ::core::primitive::str = #name;
        }
        #(#cfgs)*
        #run
    }
}

/// The type: generic over the entity only so that it is as visible as the entity is.
fn definition(scope: &Scope<'_>, operation: &Operation, ident: &Ident) -> TokenStream {
    let (krate, serde) = (scope.krate, scope.serde());
    let cfgs = &operation.cfgs;
    let known = || {
        operation
            .arguments()
            .filter_map(|a| Some((&a.name, a.ty.as_ref()?)))
    };
    let names = known().map(|(name, _)| name);
    let types = known().map(|(_, ty)| scope.outside(ty));
    let is_command = operation.role == Role::Command;
    let derives = is_command.then(|| {
        quote! {
            #[derive(#krate::__private::serde::Serialize, #krate::__private::serde::Deserialize)]
            #[serde(crate = #serde, bound = "")]
        }
    });
    let skip = is_command.then(|| quote!(#[serde(skip)]));
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, unreachable_pub, missing_debug_implementations)]
        #[allow(clippy::all, clippy::pedantic)]
        #derives
        pub struct #ident<E> {
            #(#names: #types,)*
            #skip
            __entity: ::core::marker::PhantomData<fn() -> E>,
        }
    }
}

fn answer_types(scope: &Scope<'_>, operation: &Operation) -> (TokenStream, TokenStream) {
    let krate = scope.krate;
    let infallible = quote!(#krate::Infallible);
    match &operation.returns {
        Returns::Plain(None) => (quote!(()), infallible),
        Returns::Plain(Some(ty)) | Returns::Then(ty) => {
            let ty = scope.outside(ty);
            (quote!(#ty), infallible)
        }
        Returns::Fallible { whole } => {
            let whole = scope.outside(whole);
            (
                quote!(<#whole as #krate::__private::ResultParts>::Ok),
                quote!(<#whole as #krate::__private::ResultParts>::Err),
            )
        }
        Returns::FallibleThen { whole, reply } => {
            let (whole, reply) = (scope.outside(whole), scope.outside(reply));
            (
                quote!(#reply),
                quote!(<#whole as #krate::__private::ResultParts>::Err),
            )
        }
    }
}

/// What only the compiler can tell.
fn checks(scope: &Scope<'_>, operation: &Operation) -> TokenStream {
    let (krate, cfgs) = (scope.krate, &operation.cfgs);
    // An alias that hides a `Result` would make every rejection a successful reply.
    let alias = match &operation.returns {
        Returns::Plain(Some(ty)) => {
            let ty = scope.outside(ty);
            quote_spanned! {ty.span()=>
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
    let receiver = operation.exclusive.as_ref().map(|mutable| {
        let mut entity = scope.entity.clone();
        entity.set_span(mutable.span());
        quote! {
            #(#cfgs)*
            const _: fn() = || {
                fn changed_in_place<E: #krate::__private::ChangedInPlace>() {}
                changed_in_place::<#entity>();
            };
        }
    });
    quote!(#alias #receiver)
}

fn invocation(scope: &Scope<'_>, operation: &Operation) -> TokenStream {
    let entity = scope.entity;
    let method = &operation.method;
    if !operation.is_sound {
        return quote!(::core::unreachable!());
    }
    let parameters = operation
        .parameters
        .iter()
        .map(|parameter| match parameter {
            Parameter::Context => quote!(ctx),
            Parameter::Argument(argument) => {
                let name = &argument.name;
                quote!(self.#name)
            }
        });
    quote_spanned!(method.span()=> #entity::#method(entity, #(#parameters),*))
}

fn command(scope: &Scope<'_>, operation: &Operation, ident: &Ident) -> TokenStream {
    let Scope { krate, entity } = scope;
    let call = invocation(scope, operation);
    let handled = quote!(#krate::reply::Handled);
    let body = match &operation.returns {
        Returns::Plain(_) => quote!(#handled::Reply(#call)),
        Returns::Then(_) => quote!(#handled::Then(#call)),
        Returns::Fallible { .. } => quote! {
            match #call {
                ::core::result::Result::Ok(reply) => #handled::Reply(reply),
                ::core::result::Result::Err(rejection) => #handled::Rejected(rejection),
            }
        },
        Returns::FallibleThen { .. } => quote! {
            match #call {
                ::core::result::Result::Ok(then) => #handled::Then(then),
                ::core::result::Result::Err(rejection) => #handled::Rejected(rejection),
            }
        },
    };
    let receiver = match operation.exclusive {
        None => quote!(let entity: &#entity = entity;),
        Some(_) => quote!(),
    };
    quote! {
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic)]
        #[allow(deprecated, unused_variables, unreachable_code)]
        impl #krate::command::Command for #ident<#entity> {
            fn handle(
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

fn query(scope: &Scope<'_>, operation: &Operation, ident: &Ident) -> TokenStream {
    let Scope { krate, entity } = scope;
    let call = invocation(scope, operation);
    let body = match &operation.returns {
        Returns::Fallible { .. } | Returns::FallibleThen { .. } => call,
        Returns::Plain(_) | Returns::Then(_) => quote!(::core::result::Result::Ok(#call)),
    };
    quote! {
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic)]
        #[allow(deprecated, unused_variables, unreachable_code)]
        impl #krate::command::Query for #ident<#entity> {
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
