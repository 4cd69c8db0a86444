//! The code behind an impl block. Cannot fail: everything was checked before.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::{VisitMut, visit_path_mut};
use syn::{Path, Type};

use crate::behavior::model::{Argument, Handler, Model, Operation, Role};
use crate::behavior::returns::Returns;
use crate::names;

/// Expands the impl half. An unsound model gets stubs only, so that one mistake is one complaint.
pub(crate) fn expand(
    krate: &TokenStream,
    entity: &Ident,
    model: &Model,
    is_sound: bool,
) -> TokenStream {
    let scope = Scope { krate, entity };
    let operations = model
        .operations
        .iter()
        .map(|operation| scope.operation(operation));
    let methods = model
        .operations
        .iter()
        .map(|operation| scope.method(operation));
    let reference = names::reference(entity);
    let behavior = scope.behavior(&model.handlers);
    let registration = is_sound.then(|| {
        quote! {
            const _: () = {
                use #krate::__private::inventory;
                inventory::submit! { #krate::__private::Registration::of::<#entity>() }
            };
        }
    });
    quote! {
        #behavior
        #(#operations)*
        #[allow(clippy::all, clippy::pedantic, dead_code, unreachable_pub)]
        impl #reference {
            #(#methods)*
        }
        #registration
    }
}

struct Scope<'a> {
    krate: &'a TokenStream,
    entity: &'a Ident,
}

impl Scope<'_> {
    /// A type of the user's, readable outside the impl block.
    fn outside(&self, ty: &Type) -> Type {
        struct ReplaceSelf<'a>(&'a Ident);
        impl VisitMut for ReplaceSelf<'_> {
            fn visit_path_mut(&mut self, path: &mut Path) {
                if let Some(first) = path.segments.first_mut().filter(|s| s.ident == "Self") {
                    first.ident = Ident::new(&self.0.to_string(), first.ident.span());
                }
                visit_path_mut(self, path);
            }
        }
        let mut ty = ty.clone();
        ReplaceSelf(self.entity).visit_type_mut(&mut ty);
        ty
    }

    /// The hidden type of an operation, and how it runs.
    fn operation(&self, operation: &Operation) -> TokenStream {
        let Self { krate, entity } = self;
        let ident = names::operation(entity, &operation.method);
        let name = &operation.stored_name;
        let (reply, error) = self.answer_types(operation);
        let names: Vec<&Ident> = operation.arguments.iter().map(|a| &a.name).collect();
        let types = operation.arguments.iter().map(|a| self.outside(&a.ty));
        let (mode, run) = match operation.role {
            Role::Query => (quote!(Reads), self.query(operation, &ident)),
            _ => (quote!(Writes), self.command(operation, &ident)),
        };
        let serde = format!("{krate}::__private::serde").replace(' ', "");
        let derives = (operation.role == Role::Command).then(|| {
            quote! {
                #[derive(#krate::__private::serde::Serialize, #krate::__private::serde::Deserialize)]
                #[serde(crate = #serde, bound = "")]
            }
        });
        let skip = (operation.role == Role::Command).then(|| quote!(#[serde(skip)]));
        let probe = self.probe(operation);
        quote! {
            #probe
            #[doc(hidden)]
            #[allow(non_camel_case_types, unreachable_pub, missing_debug_implementations)]
            #[allow(clippy::all, clippy::pedantic)]
            #derives
            pub struct #ident<E> {
                #(#names: #types,)*
                #skip
                __entity: ::core::marker::PhantomData<fn() -> E>,
            }
            #[automatically_derived]
            impl #krate::command::Operation for #ident<#entity> {
                type Entity = #entity;
                type Reply = #reply;
                type Error = #error;
                type Mode = #krate::command::#mode;
                const NAME: &'static str = #name;
            }
            #run
        }
    }

    fn answer_types(&self, operation: &Operation) -> (TokenStream, TokenStream) {
        let krate = self.krate;
        let infallible = quote!(#krate::Infallible);
        match &operation.returns {
            Returns::Plain(None) => (quote!(()), infallible),
            Returns::Plain(Some(ty)) | Returns::Then(ty) => {
                let ty = self.outside(ty);
                (quote!(#ty), infallible)
            }
            Returns::Fallible { whole } => {
                let whole = self.outside(whole);
                (
                    quote!(<#whole as #krate::__private::ResultParts>::Ok),
                    quote!(<#whole as #krate::__private::ResultParts>::Err),
                )
            }
            Returns::FallibleThen { whole, reply } => {
                let (whole, reply) = (self.outside(whole), self.outside(reply));
                (
                    quote!(#reply),
                    quote!(<#whole as #krate::__private::ResultParts>::Err),
                )
            }
        }
    }

    /// An alias that hides a `Result` would make every rejection a successful reply.
    fn probe(&self, operation: &Operation) -> TokenStream {
        let krate = self.krate;
        let Returns::Plain(Some(ty)) = &operation.returns else {
            return TokenStream::new();
        };
        let ty = self.outside(ty);
        quote_spanned! {ty.span()=>
            const _: () = {
                #[allow(unused_imports)]
                use #krate::__private::NotResult as _;
                ::core::assert!(
                    !#krate::__private::ReplyProbe::<#ty>::IS_RESULT,
                    "this return type is an alias of `Result`: write `Result<T, E>` out, so that \
                     its `Err` becomes a rejection"
                );
            };
        }
    }

    fn invocation(&self, operation: &Operation) -> TokenStream {
        let Operation {
            method,
            arguments,
            context,
            ..
        } = operation;
        let entity = self.entity;
        let mut parameters: Vec<TokenStream> = arguments
            .iter()
            .map(|Argument { name, .. }| quote!(self.#name))
            .collect();
        if let Some(index) = context {
            parameters.insert((*index).min(parameters.len()), quote!(ctx));
        }
        quote_spanned!(method.span()=> #entity::#method(entity, #(#parameters),*))
    }

    fn command(&self, operation: &Operation, ident: &Ident) -> TokenStream {
        let Self { krate, entity } = self;
        let call = self.invocation(operation);
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
        quote! {
            #[automatically_derived]
            #[allow(clippy::all, clippy::pedantic, unused_variables)]
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
                    let entity: &#entity = entity;
                    #body
                }
            }
        }
    }

    fn query(&self, operation: &Operation, ident: &Ident) -> TokenStream {
        let Self { krate, entity } = self;
        let call = self.invocation(operation);
        let body = match &operation.returns {
            Returns::Fallible { .. } | Returns::FallibleThen { .. } => call,
            Returns::Plain(_) | Returns::Then(_) => quote!(::core::result::Result::Ok(#call)),
        };
        quote! {
            #[automatically_derived]
            #[allow(clippy::all, clippy::pedantic)]
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

    /// The method of the reference.
    fn method(&self, operation: &Operation) -> TokenStream {
        let Self { krate, entity } = self;
        let Operation { method, docs, .. } = operation;
        let ident = names::operation(entity, method);
        let (mut parameters, mut values) = (Vec::new(), Vec::new());
        for Argument { name, ty } in &operation.arguments {
            let ty = self.outside(ty);
            if is_string(&ty) {
                parameters.push(quote!(#name: impl ::core::convert::Into<#ty>));
                values.push(quote!(#name: ::core::convert::Into::into(#name)));
            } else {
                parameters.push(quote!(#name: #ty));
                values.push(quote!(#name));
            }
        }
        let answer = answer_text(operation);
        let separator = (!docs.is_empty()).then(|| quote!(#[doc = ""]));
        quote! {
            #(#docs)*
            #separator
            #[doc = #answer]
            pub fn #method(&self, #(#parameters),*) -> #krate::Call<#ident<#entity>> {
                self.__handle.call(#ident {
                    #(#values,)*
                    __entity: ::core::marker::PhantomData,
                })
            }
        }
    }

    /// Event type, fold, and what `ctx.emit` takes.
    fn behavior(&self, handlers: &[Handler]) -> TokenStream {
        let Self { krate, entity } = self;
        let (event, apply, rest) = match handlers {
            [] => {
                let never = quote!(#krate::__private::NoEvent);
                (never, quote!(match *event {}), TokenStream::new())
            }
            [Handler { method, event }] => {
                let event = self.outside(event);
                let apply = quote_spanned!(method.span()=> #entity::#method(self, event));
                let into = quote! {
                    #[automatically_derived]
                    impl #krate::event::EventOf<#entity> for #event {
                        fn into_event(self) -> #event { self }
                    }
                };
                (quote!(#event), apply, into)
            }
            handlers => self.many_events(handlers),
        };
        quote! {
            #[automatically_derived]
            impl #krate::entity::Behavior for #entity {
                type Event = #event;
                fn apply(&mut self, event: &Self::Event) {
                    #apply
                }
                fn same(&self, other: &Self) -> ::core::option::Option<bool> {
                    use #krate::__private::{SameByPartialEq as _, SameUnknown as _};
                    (&#krate::__private::States(self, other)).same()
                }
            }
            #rest
        }
    }

    /// A hidden enum of the handled event structs.
    fn many_events(&self, handlers: &[Handler]) -> (TokenStream, TokenStream, TokenStream) {
        let Self { krate, entity } = self;
        let ident = names::events(entity);
        let variants: Vec<Ident> = (0..handlers.len())
            .map(|i| format_ident!("Event{i}"))
            .collect();
        let types: Vec<Type> = handlers.iter().map(|h| self.outside(&h.event)).collect();
        let methods = handlers.iter().map(|h| &h.method);
        let indices = 0..handlers.len();
        let upcasts = indices.clone();
        let serde = format!("{krate}::__private::serde").replace(' ', "");
        let apply = quote! {
            match event {
                #(#ident::#variants(event) => #entity::#methods(self, event),)*
            }
        };
        let checks = types.iter().map(|ty| {
            quote_spanned! {ty.span()=>
                ::core::assert!(
                    #krate::__private::is_struct_event::<#ty>(),
                    "an entity has one handler for a whole event enum, or one for each event struct"
                );
            }
        });
        let rest = quote! {
            const _: () = {
                #(#checks)*
                ::core::assert!(
                    #krate::__private::names_differ(<#ident as #krate::event::Event>::EVENTS),
                    "two events of this entity have the same name"
                );
            };
            #[doc(hidden)]
            #[allow(unreachable_pub, private_interfaces, missing_debug_implementations)]
            #[derive(#krate::__private::serde::Serialize, #krate::__private::serde::Deserialize)]
            #[serde(crate = #serde)]
            pub enum #ident {
                #(#variants(#types),)*
            }
            #[automatically_derived]
            impl #krate::event::Event for #ident {
                const FORM: #krate::event::EventForm = #krate::event::EventForm::Enum;
                const EVENTS: &'static [#krate::event::EventDeclaration] =
                    &[#(<#types as #krate::event::Event>::EVENTS[0],)*];
                fn index(&self) -> usize {
                    match self {
                        #(#ident::#variants(_) => #indices,)*
                    }
                }
                fn upcast(
                    index: usize,
                    version: u32,
                    codec: #krate::codec::Codec,
                    payload: &[u8],
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
            }
            #(
                #[automatically_derived]
                impl #krate::event::EventOf<#entity> for #types {
                    fn into_event(self) -> #ident { #ident::#variants(self) }
                }
            )*
        };
        (quote!(#ident), apply, rest)
    }
}

/// What the hidden operation type does not show to a reader of the reference's documentation.
fn answer_text(operation: &Operation) -> String {
    let text = |ty: &Type| quote!(#ty).to_string().replace(' ', "");
    match &operation.returns {
        Returns::Plain(None) => "Replies `()`.".to_owned(),
        Returns::Plain(Some(ty)) | Returns::Then(ty) => format!("Replies `{}`.", text(ty)),
        Returns::Fallible { whole } => format!("Answers `{}`.", text(whole)),
        Returns::FallibleThen { whole, reply } => {
            format!(
                "Replies `{}`; the handler returns `{}`.",
                text(reply),
                text(whole)
            )
        }
    }
}

fn is_string(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path
        .segments
        .last()
        .is_some_and(|last| last.ident == "String" && last.arguments.is_empty())
}
