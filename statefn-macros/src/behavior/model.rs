//! What an impl block declares: operations and event handlers, understood and checked one by one.

use proc_macro2::Ident;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, ImplItem, ImplItemFn, ItemImpl, LitStr, Meta, Pat, PatType, Receiver, Type,
};

use crate::behavior::returns::Returns;
use crate::diagnostics::Diagnostics;
use crate::names;

/// What a helper attribute makes of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Command,
    Query,
    EventHandler,
}

impl Role {
    /// The role that an attribute gives, if it is one of ours (also as `statefn::command`).
    pub(crate) fn of(attr: &Attribute) -> Option<Self> {
        let last = attr.path().segments.last()?;
        match last.ident.to_string().as_str() {
            "command" => Some(Self::Command),
            "query" => Some(Self::Query),
            "event_handler" => Some(Self::EventHandler),
            _ => None,
        }
    }
}

/// Everything an impl block declares.
pub(crate) struct Model {
    pub(crate) operations: Vec<Operation>,
    pub(crate) handlers: Vec<Handler>,
}

/// A command or a query.
pub(crate) struct Operation {
    pub(crate) role: Role,
    pub(crate) method: Ident,
    pub(crate) stored_name: String,
    /// Where the stored name stands, for complaints.
    pub(crate) name_span: proc_macro2::Span,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) arguments: Vec<Argument>,
    /// Where the context stands among the parameters, if the handler takes it.
    pub(crate) context: Option<usize>,
    pub(crate) returns: Returns,
}

/// A parameter that the caller fills in.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

/// A method that applies an event.
pub(crate) struct Handler {
    pub(crate) method: Ident,
    pub(crate) event: Type,
}

impl Model {
    /// Reads every method that has a role.
    pub(crate) fn read(item: &ItemImpl, diagnostics: &mut Diagnostics) -> Self {
        let mut model = Self {
            operations: Vec::new(),
            handlers: Vec::new(),
        };
        for member in &item.items {
            let ImplItem::Fn(method) = member else {
                continue;
            };
            let roles: Vec<(&Attribute, Role)> = method
                .attrs
                .iter()
                .filter_map(|attr| Role::of(attr).map(|role| (attr, role)))
                .collect();
            let [(attr, role), rest @ ..] = roles.as_slice() else {
                continue;
            };
            for (extra, _) in rest {
                diagnostics.at(
                    extra,
                    "a method is a command, a query or an event handler: one",
                );
            }
            match role {
                Role::EventHandler => model.handlers.extend(handler(method, diagnostics)),
                role => model
                    .operations
                    .extend(operation(method, attr, *role, diagnostics)),
            }
        }
        model
    }
}

fn operation(
    method: &ImplItemFn,
    attr: &Attribute,
    role: Role,
    diagnostics: &mut Diagnostics,
) -> Option<Operation> {
    let sig = &method.sig;
    let what = if role == Role::Command {
        "command"
    } else {
        "query"
    };
    let mut is_sound = plain_signature(method, what, diagnostics);
    if let Some(asyncness) = &sig.asyncness {
        let message = format!("async {what} methods are not supported yet: remove `async`");
        diagnostics.at(asyncness, message);
        is_sound = false;
    }
    let (name, name_span) = stored_name(attr, &sig.ident, diagnostics);
    is_sound &= receiver(method, role, diagnostics);
    let mut arguments = Vec::new();
    let mut context = None;
    for (index, input) in sig.inputs.iter().filter_map(typed).enumerate() {
        if is_context(&input.ty) {
            if role == Role::Query {
                let message = "a query has no context: it neither emits nor writes";
                diagnostics.at(input, message);
                is_sound = false;
            }
            context = Some(index);
            continue;
        }
        match argument(input, diagnostics) {
            Some(argument) => arguments.push(argument),
            None => is_sound = false,
        }
    }
    is_sound.then(|| Operation {
        role,
        method: sig.ident.clone(),
        stored_name: name,
        name_span,
        docs: method
            .attrs
            .iter()
            .filter(|a| a.path().is_ident("doc"))
            .cloned()
            .collect(),
        arguments,
        context,
        returns: Returns::of(&sig.output),
    })
}

/// What no handler may have: generics, `unsafe`, `extern`, variadics.
fn plain_signature(method: &ImplItemFn, what: &str, diagnostics: &mut Diagnostics) -> bool {
    let sig = &method.sig;
    let mut is_plain = true;
    if !sig.generics.params.is_empty() {
        let message =
            format!("a {what} has no generic parameters: its arguments are stored and sent");
        diagnostics.at(&sig.generics, message);
        is_plain = false;
    }
    if sig.constness.is_some() || sig.abi.is_some() || sig.variadic.is_some() {
        diagnostics.at(&sig.ident, format!("a {what} is a plain method"));
        is_plain = false;
    }
    is_plain
}

fn stored_name(
    attr: &Attribute,
    method: &Ident,
    diagnostics: &mut Diagnostics,
) -> (String, proc_macro2::Span) {
    let default = syn::ext::IdentExt::unraw(method).to_string();
    if matches!(attr.meta, Meta::Path(_)) {
        return (default, method.span());
    }
    let mut name = None;
    let parsed = attr.parse_nested_meta(|meta| {
        if !meta.path.is_ident("name") {
            return Err(meta.error("unknown option, expected `name = \"..\"`"));
        }
        name = Some(meta.value()?.parse::<LitStr>()?);
        Ok(())
    });
    if let Err(error) = parsed {
        diagnostics.add(error);
    }
    let Some(name) = name else {
        return (default, method.span());
    };
    if let Some(complaint) = names::complaint(&name.value()) {
        diagnostics.at(&name, complaint);
    }
    (name.value(), name.span())
}

fn receiver(method: &ImplItemFn, role: Role, diagnostics: &mut Diagnostics) -> bool {
    let sig = &method.sig;
    let complaint = match (sig.receiver(), role) {
        (Some(receiver), _) if by_reference(receiver) => return true,
        (Some(_), Role::Command) => {
            "an event-sourced command takes `&self`: it changes the state only through the events \
             that it emits with `ctx.emit(..)`"
        }
        (Some(_), _) => "a query takes `&self`: it only reads",
        (None, Role::Command) => "a command takes `&self`",
        (None, _) => "a query takes `&self`",
    };
    match sig.receiver() {
        Some(receiver) => diagnostics.at(receiver, complaint),
        None => diagnostics.at(&sig.ident, complaint),
    }
    false
}

/// Whether the receiver is exactly `&self`.
fn by_reference(receiver: &Receiver) -> bool {
    quote::quote!(#receiver).to_string().replace(' ', "") == "&self"
}

fn typed(input: &FnArg) -> Option<&PatType> {
    match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    }
}

/// Whether a parameter is `&mut Context<..>`.
fn is_context(ty: &Type) -> bool {
    let Type::Reference(reference) = ty else {
        return false;
    };
    let Type::Path(path) = &*reference.elem else {
        return false;
    };
    path.path
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "Context")
}

fn argument(input: &PatType, diagnostics: &mut Diagnostics) -> Option<Argument> {
    let name = match &*input.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => pat.ident.clone(),
        pat => {
            let message = "expected a plain name: it becomes the parameter that callers fill in";
            diagnostics.at(pat, message);
            return None;
        }
    };
    match &*input.ty {
        Type::ImplTrait(ty) => {
            diagnostics.at(
                ty,
                "expected a concrete type: arguments are stored and sent",
            );
            None
        }
        Type::Reference(ty) => {
            let message = "expected an owned type: a call outlives its caller's borrows";
            diagnostics.at(ty, message);
            None
        }
        ty => Some(Argument {
            name,
            ty: ty.clone(),
        }),
    }
}

fn handler(method: &ImplItemFn, diagnostics: &mut Diagnostics) -> Option<Handler> {
    const FORM: &str = "an event handler looks like `fn apply(&mut self, event: &CartEvent)`";
    let sig = &method.sig;
    let mut is_sound = plain_signature(method, "event handler", diagnostics);
    if let Some(asyncness) = &sig.asyncness {
        diagnostics.at(
            asyncness,
            "an event handler is not `async`: it runs on every replay",
        );
        is_sound = false;
    }
    let mutable = sig.receiver().is_some_and(|receiver| {
        quote::quote!(#receiver).to_string().replace(' ', "") == "&mutself"
    });
    if !mutable {
        diagnostics.at(&sig.inputs, FORM);
        is_sound = false;
    }
    if !matches!(sig.output, syn::ReturnType::Default) {
        diagnostics.at(
            &sig.output,
            "an event handler returns nothing: a stored fact cannot fail",
        );
        is_sound = false;
    }
    let events: Vec<&PatType> = sig.inputs.iter().filter_map(typed).collect();
    let event = match events.as_slice() {
        [event] => match &*event.ty {
            Type::Reference(reference) if reference.mutability.is_none() => &reference.elem,
            ty => {
                diagnostics.at(ty, FORM);
                return None;
            }
        },
        _ => {
            if mutable {
                diagnostics.at_span(sig.inputs.span(), FORM);
            }
            return None;
        }
    };
    is_sound.then(|| Handler {
        method: sig.ident.clone(),
        event: (**event).clone(),
    })
}
