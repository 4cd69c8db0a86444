//! The methods of the reference.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;

use crate::behavior::expand::operation::operation_type;
use crate::behavior::expand::scope::Scope;
use crate::behavior::operation::{Argument, Operation};
use crate::behavior::returns::Returns;
use crate::names;

/// Expands all methods.
pub(super) fn expand(scope: &Scope, operations: &[Operation]) -> TokenStream {
    let reference = names::reference(&scope.entity);
    // A method `id` was complained about: the reference has one.
    let methods = operations
        .iter()
        .filter(|operation| operation.method != "id")
        .map(|operation| method(scope, operation));
    quote_spanned! {scope.span=>
        #[allow(clippy::all, clippy::pedantic)]
        #[allow(dead_code, deprecated, unreachable_pub, unused_variables)]
        impl #reference {
            #(#methods)*
        }
    }
}

fn method(scope: &Scope, operation: &Operation) -> TokenStream {
    let Operation {
        method,
        copied,
        cfgs,
        ..
    } = operation;
    let scope = scope.at(method.span());
    let Scope {
        krate,
        entity,
        span,
    } = &scope;
    let ident = names::operation(entity, method);
    let operation_type = operation_type(&scope, operation);
    let (mut parameters, mut values) = (Vec::new(), Vec::new());
    for Argument { name, ty } in operation.arguments() {
        let Some(ty) = ty else {
            parameters.push(quote!(#name: impl ::core::marker::Sized));
            continue;
        };
        let ty = scope.outside(ty);
        if is_string(&ty) {
            parameters.push(quote!(#name: impl ::core::convert::Into<#ty>));
            values.push(quote!(#name: ::core::convert::Into::into(#name)));
        } else {
            parameters.push(quote!(#name: #ty));
            values.push(quote!(#name));
        }
    }
    let answer = answer_text(&operation.returns);
    let is_documented = copied.iter().any(|attr| attr.path().is_ident("doc"));
    let separator = is_documented.then(|| quote!(#[doc = ""]));
    quote_spanned! {*span=>
        #(#cfgs)*
        #(#copied)*
        #separator
        #[doc = #answer]
        pub fn #method(&self, #(#parameters),*) -> #krate::Call<#operation_type> {
            self.__handle.call(#ident {
                #(#values,)*
                __entity: ::core::marker::PhantomData,
            })
        }
    }
}

/// What the hidden operation type does not show to a reader of the reference's documentation.
fn answer_text(returns: &Returns) -> String {
    match returns {
        Returns::Plain(None) => "Replies `()`.".to_owned(),
        Returns::Plain(Some(ty)) | Returns::Then(ty) => format!("Replies `{}`.", type_text(ty)),
        Returns::Forward { whole } | Returns::FallibleForward { whole } => {
            format!(
                "Answers what the target of its `{}` does.",
                type_text(whole)
            )
        }
        Returns::Fallible { whole } => format!("Answers `{}`.", type_text(whole)),
        Returns::FallibleThen { whole, reply } => {
            let (reply, whole) = (type_text(reply), type_text(whole));
            format!("Replies `{reply}`; the handler returns `{whole}`.")
        }
    }
}

/// A type as people write it, not as tokens are printed.
fn type_text(ty: &Type) -> String {
    let mut text = quote!(#ty).to_string();
    for tight in ["::", "<", ">", ",", ";", "&"] {
        text = text.replace(&format!(" {tight}"), tight);
    }
    for tight in ["::", "<", "&"] {
        text = text.replace(&format!("{tight} "), tight);
    }
    text
}

fn is_string(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path
        .segments
        .last()
        .is_some_and(|last| last.ident == "String" && last.arguments.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_as_they_are_written() {
        for text in [
            "Result<Then<Self, Vec<u8>>, my::Error>",
            "Option<(u8, [i64; 2])>",
            "()",
        ] {
            let ty: Type = syn::parse_str(text).unwrap();
            assert_eq!(type_text(&ty), text);
        }
    }
}
