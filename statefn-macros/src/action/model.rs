//! An action, understood and checked.

use proc_macro2::Ident;
use syn::spanned::Spanned;
use syn::{
    FnArg, GenericArgument, ImplItem, ImplItemFn, ItemImpl, LitStr, Pat, PatType, PathArguments,
    ReceiverKind, ReturnType, Type,
};

use crate::diagnostics::Diagnostics;
use crate::{names, owned};

/// An action.
pub(super) struct Model {
    pub(super) ident: Ident,
    pub(super) name: String,
    pub(super) handlers: Vec<Handler>,
}

/// A method with an `&ActionContext`.
pub(super) struct Handler {
    pub(super) method: Ident,
    pub(super) is_async: bool,
    pub(super) parameters: Vec<Parameter>,
    pub(super) is_fallible: bool,
    pub(super) gives_stream: bool,
}

/// A parameter behind the receiver.
pub(super) enum Parameter {
    Context,
    Argument(Ident, Box<Type>),
    /// The item type of an `Items<T>`.
    Stream(Box<Type>),
}

impl Model {
    /// Reads an impl block; what is wrong is complained about.
    pub(super) fn read(
        block: &ItemImpl,
        name: Option<LitStr>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        if let Some((path, _)) = &block.trait_ {
            let message = "`#[action]` belongs on the type's own `impl` block, not a trait's";
            diagnostics.at(path, message);
            return None;
        }
        if names::refuse_generics(&block.generics, "an action", diagnostics) {
            return None;
        }
        let ident = match &*block.self_ty {
            Type::Path(path) => path.path.get_ident().cloned(),
            _ => None,
        };
        let Some(ident) = ident else {
            diagnostics.at(&block.self_ty, "expected the plain name of a type");
            return None;
        };
        let (mut handlers, mut found) = (Vec::new(), 0);
        for member in &block.items {
            if let ImplItem::Fn(method) = member
                && is_handler(method)
            {
                found += 1;
                handlers.extend(Handler::read(method, diagnostics));
            }
        }
        if found == 0 {
            let message = "no handler here: a handler looks like `async fn transfer(&self, ctx: \
                           &ActionContext, ..)`";
            diagnostics.at(&ident, message);
        }
        Some(Self {
            name: name.map_or_else(|| names::kebab_case(&ident), |name| name.value()),
            ident,
            handlers,
        })
    }
}

impl Handler {
    fn read(method: &ImplItemFn, diagnostics: &mut Diagnostics) -> Option<Self> {
        let sig = &method.sig;
        if !sig.generics.params.is_empty() {
            let message = "a handler has no generic parameters: whoever calls it names no types";
            diagnostics.at(&sig.generics, message);
            return None;
        }
        let is_shared = sig
            .receiver()
            .is_some_and(|receiver| matches!(receiver.kind, ReceiverKind::Reference(_, _, None)));
        if !is_shared {
            let message =
                "a handler takes `&self`: an action has no state that a call could change";
            diagnostics.at_span(
                sig.receiver().map_or(sig.ident.span(), Spanned::span),
                message,
            );
        }
        let (is_fallible, gives_stream) = returns(&sig.output);
        if sig.asyncness.is_none() && !gives_stream {
            let message =
                "a handler is `async`, or gives `Items`: it calls entities and waits for them";
            diagnostics.at(sig.fn_token, message);
        }
        let mut parameters = Vec::new();
        for input in &sig.inputs {
            if is_context(input) {
                parameters.push(Parameter::Context);
            } else if let FnArg::Typed(typed) = input {
                parameters.extend(argument(typed, diagnostics));
            }
        }
        let is_stream = |parameter: &Parameter| matches!(parameter, Parameter::Stream(_));
        if parameters
            .iter()
            .filter(|parameter| is_stream(parameter))
            .count()
            > 1
        {
            diagnostics.at(&sig.inputs, "a handler takes one stream at most");
        }
        Some(Self {
            method: sig.ident.clone(),
            is_async: sig.asyncness.is_some(),
            parameters,
            is_fallible,
            gives_stream,
        })
    }

    /// Whether a stream comes in.
    pub(super) fn takes_stream(&self) -> bool {
        let is_stream = |parameter: &Parameter| matches!(parameter, Parameter::Stream(_));
        self.parameters.iter().any(is_stream)
    }
}

fn argument(input: &PatType, diagnostics: &mut Diagnostics) -> Option<Parameter> {
    if !owned::check(&input.ty, "arguments are", diagnostics) {
        return None;
    }
    if let Some(item) = argument_of(&input.ty, "Items") {
        return Some(Parameter::Stream(Box::new(item.clone())));
    }
    match &*input.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
            Some(Parameter::Argument(pat.ident.clone(), input.ty.clone()))
        }
        pat => {
            let message = "expected a plain name: it is what callers fill in";
            diagnostics.at(pat, message);
            None
        }
    }
}

/// Whether a method is a handler.
pub(super) fn is_handler(method: &ImplItemFn) -> bool {
    method.sig.inputs.iter().any(is_context)
}

/// Whether a parameter is `&ActionContext`.
fn is_context(input: &FnArg) -> bool {
    let FnArg::Typed(typed) = input else {
        return false;
    };
    let ty = match &*typed.ty {
        Type::Reference(reference) => &*reference.elem,
        ty => ty,
    };
    let Type::Path(path) = ty else { return false };
    let last = path.path.segments.last();
    last.is_some_and(|last| last.ident == "ActionContext")
}

/// Whether it may fail, and whether it gives a stream.
fn returns(output: &ReturnType) -> (bool, bool) {
    let ReturnType::Type(_, ty) = output else {
        return (false, false);
    };
    let ok = argument_of(ty, "Result");
    (
        ok.is_some(),
        argument_of(ok.unwrap_or(ty), "Items").is_some(),
    )
}

/// The first type argument of a path that ends in `name`.
fn argument_of<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path
        .path
        .segments
        .last()
        .filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}
