//! What an impl block declares: operations and event handlers.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, ImplItem, ImplItemFn, ItemImpl, PatType, Safety};

use crate::behavior::handler::Handler;
use crate::behavior::operation::Operation;
use crate::diagnostics::Diagnostics;

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

    /// How messages call it.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Command => "a command",
            Self::Query => "a query",
            Self::EventHandler => "an event handler",
        }
    }
}

/// Everything an impl block declares.
pub(crate) struct Model {
    pub(crate) operations: Vec<Operation>,
    pub(crate) handlers: Vec<Handler>,
    /// Handlers that could not even be told which event they are for.
    pub(crate) lost_handlers: usize,
}

impl Model {
    /// Reads every method that has a role; what is wrong is complained about.
    pub(crate) fn read(item: &ItemImpl, diagnostics: &mut Diagnostics) -> Self {
        let mut model = Self {
            operations: Vec::new(),
            handlers: Vec::new(),
            lost_handlers: 0,
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
                let message = "a method is one of these: command, query, event handler";
                diagnostics.at(extra.path(), message);
            }
            match role {
                Role::EventHandler => match Handler::read(method, attr, diagnostics) {
                    Some(handler) => model.add_handler(handler, diagnostics),
                    None => model.lost_handlers += 1,
                },
                role => model.add(Operation::read(method, attr, *role, diagnostics)),
            }
        }
        model
    }

    /// One handler an event.
    fn add_handler(&mut self, handler: Handler, diagnostics: &mut Diagnostics) {
        let event = handler.event.to_token_stream().to_string();
        let is_same = |first: &&Handler| first.event.to_token_stream().to_string() == event;
        match self.handlers.iter().find(is_same) {
            Some(first) => {
                let message = format!("`{}` handles `{event}` already", first.method);
                diagnostics.at(&handler.event, message);
            }
            None => self.handlers.push(handler),
        }
    }

    /// Leaves a second method of one name to the compiler, unless `#[cfg]` may keep them apart.
    fn add(&mut self, operation: Operation) {
        let is_second = |first: &Operation| {
            first.method.unraw() == operation.method.unraw()
                && first.cfgs.is_empty()
                && operation.cfgs.is_empty()
        };
        if !self.operations.iter().any(is_second) {
            self.operations.push(operation);
        }
    }
}

/// What no handler may have: generics, `const`, `unsafe`, `extern`, variadics.
pub(super) fn plain_signature(
    method: &ImplItemFn,
    role: Role,
    diagnostics: &mut Diagnostics,
) -> bool {
    let (sig, noun) = (&method.sig, role.noun());
    let message = format!("{noun} is a plain method");
    let mut is_plain = sig.generics.params.is_empty();
    if !is_plain {
        let message = format!("{message}: remove the generic parameters and name the types");
        diagnostics.at(&sig.generics, message);
    }
    if let Some(constness) = &sig.constness {
        diagnostics.at(constness, format!("{message}: remove `const`"));
        is_plain = false;
    }
    if let Safety::Unsafe(token) = &sig.safety {
        diagnostics.at(token, format!("{message}: remove `unsafe`"));
        is_plain = false;
    }
    if let Some(abi) = &sig.abi {
        diagnostics.at(abi, format!("{message}: remove `extern`"));
        is_plain = false;
    }
    is_plain
}

/// The parameters behind the receiver.
pub(super) fn parameters(method: &ImplItemFn) -> impl Iterator<Item = &PatType> {
    method.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    })
}

/// The attributes of these names.
pub(super) fn attributes(method: &ImplItemFn, names: &[&str]) -> Vec<Attribute> {
    let is_named = |attr: &&Attribute| names.iter().any(|name| attr.path().is_ident(name));
    method.attrs.iter().filter(is_named).cloned().collect()
}

/// The identifier of a method and where it stands.
pub(super) fn ident(method: &ImplItemFn) -> Ident {
    method.sig.ident.clone()
}
