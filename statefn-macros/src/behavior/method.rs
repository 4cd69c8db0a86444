//! What a method with a helper attribute shows of itself, whatever its role is.

use proc_macro2::Ident;
use syn::{Attribute, FnArg, ImplItemFn, PatType, Safety};

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
