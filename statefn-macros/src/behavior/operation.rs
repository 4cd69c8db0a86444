//! A command or a query, understood and checked.

use proc_macro2::{Ident, Span};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::{Attribute, ImplItemFn, Pat, PatType, Token, Type};

use crate::attribute;
use crate::behavior::method::{Role, attributes, ident, parameters, plain_signature};
use crate::behavior::receiver::Receiver;
use crate::behavior::returns::Returns;
use crate::diagnostics::Diagnostics;
use crate::owned;

/// A command or a query.
pub(crate) struct Operation {
    pub(crate) role: Role,
    pub(crate) method: Ident,
    pub(crate) stored_name: String,
    /// Where the stored name stands, for complaints.
    pub(crate) name_span: Span,
    /// What the method of the reference takes over: docs and deprecation.
    pub(crate) copied: Vec<Attribute>,
    /// Under which conditions the method exists.
    pub(crate) cfgs: Vec<Attribute>,
    /// The `async` of a command that waits.
    pub(crate) asyncness: Option<Token![async]>,
    /// The `mut` of a `&mut self`, which not every state model allows.
    pub(crate) exclusive: Option<Token![mut]>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) returns: Returns,
    /// Whether there was nothing to complain about: only then the handler is called.
    pub(crate) is_sound: bool,
}

/// A parameter behind the receiver.
pub(crate) enum Parameter {
    /// `ctx: &mut Context<Self>`, with its type as written; `None` after a complaint.
    Context(Option<Box<Type>>),
    /// What the caller fills in.
    Argument(Argument),
}

/// A parameter that the caller fills in.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    /// `None` after a complaint: callers may pass anything, so that they are not complained about.
    pub(crate) ty: Option<Box<Type>>,
}

impl Operation {
    /// Reads a method; what is wrong is complained about, and what is left keeps its callers alive.
    pub(super) fn read(
        method: &ImplItemFn,
        attr: &Attribute,
        role: Role,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let mut is_sound = plain_signature(method, role, diagnostics);
        let is_generic = !method.sig.generics.params.is_empty();
        let asyncness = method.sig.asyncness.filter(|_| role == Role::Command);
        is_sound &= may_wait(method, role, diagnostics);
        let (stored_name, name_span) = stored_name(attr, &method.sig.ident, diagnostics);
        let receiver = Receiver::of_operation(method, role, diagnostics);
        is_sound &= receiver.is_some();
        let exclusive = match receiver {
            Some(Receiver::Exclusive(mutability)) => Some(mutability),
            _ => None,
        };
        let parameters = read_parameters(method, role, diagnostics);
        let parameters: Vec<Parameter> = parameters
            .into_iter()
            .map(|parameter| {
                if is_generic {
                    parameter.unknown()
                } else {
                    parameter
                }
            })
            .collect();
        is_sound &= parameters.iter().all(Parameter::is_known);
        let returns = Returns::read(&method.sig.output, role, diagnostics);
        is_sound &= returns.is_some();
        Self {
            role,
            method: ident(method),
            stored_name,
            name_span,
            copied: attributes(method, &["doc", "deprecated"]),
            cfgs: attributes(method, &["cfg"]),
            asyncness,
            exclusive,
            parameters,
            returns: returns
                .filter(|_| !is_generic)
                .unwrap_or(Returns::Plain(None)),
            is_sound,
        }
    }

    /// The parameters that the caller fills in.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Argument> {
        self.parameters
            .iter()
            .filter_map(|parameter| match parameter {
                Parameter::Argument(argument) => Some(argument),
                Parameter::Context(_) => None,
            })
    }
}

impl Parameter {
    fn is_known(&self) -> bool {
        match self {
            Self::Context(ty) => ty.is_some(),
            Self::Argument(argument) => argument.ty.is_some(),
        }
    }

    fn unknown(self) -> Self {
        match self {
            Self::Argument(Argument { name, .. }) => Self::Argument(Argument { name, ty: None }),
            Self::Context(_) => self,
        }
    }
}

fn may_wait(method: &ImplItemFn, role: Role, diagnostics: &mut Diagnostics) -> bool {
    match &method.sig.asyncness {
        Some(asyncness) if role == Role::Query => {
            let message = "a query is not `async`: it answers from the state in memory";
            diagnostics.at(asyncness, message);
            false
        }
        _ => true,
    }
}

fn stored_name(attr: &Attribute, method: &Ident, diagnostics: &mut Diagnostics) -> (String, Span) {
    let mut name = None;
    let tokens = attribute::arguments(attr, diagnostics);
    for entry in attribute::entries([tokens], diagnostics) {
        if entry.word == "name" {
            name = entry.stored_name(diagnostics);
        } else {
            entry.unknown(&["name"], diagnostics);
        }
    }
    match name {
        Some(name) => (name.value(), name.span()),
        None => (method.unraw().to_string(), method.span()),
    }
}

fn read_parameters(
    method: &ImplItemFn,
    role: Role,
    diagnostics: &mut Diagnostics,
) -> Vec<Parameter> {
    let mut read = Vec::new();
    let mut has_context = false;
    for (index, input) in parameters(method).enumerate() {
        if !is_context(&input.ty) {
            read.push(Parameter::Argument(argument(index, input, diagnostics)));
            continue;
        }
        let mut ty = None;
        if role == Role::Query {
            diagnostics.at(input, "a query has no context: it neither emits nor writes");
        } else if has_context {
            diagnostics.at(input, "a command has one context");
        } else if matches!(*input.ty, Type::Reference(_)) {
            ty = Some(input.ty.clone());
        } else {
            diagnostics.at(&input.ty, "expected `&mut Context<Self>`");
        }
        has_context = true;
        read.push(Parameter::Context(ty));
    }
    read
}

/// Whether a parameter is `&mut Context<..>`, or was meant to be.
fn is_context(ty: &Type) -> bool {
    let (path, is_borrowed) = match ty {
        Type::Reference(reference) => match &*reference.elem {
            Type::Path(path) => (path, true),
            _ => return false,
        },
        Type::Path(path) => (path, false),
        _ => return false,
    };
    let Some(last) = path.path.segments.last() else {
        return false;
    };
    // An owned `Context<T>` may be a type of the user's.
    let is_own = last
        .arguments
        .to_token_stream()
        .to_string()
        .contains("Self");
    last.ident == "Context" && (is_borrowed || is_own)
}

fn argument(index: usize, input: &PatType, diagnostics: &mut Diagnostics) -> Argument {
    let mut is_sound = owned::check(&input.ty, "arguments are", diagnostics);
    if let Some(cfg) = input.attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
        let message = "a parameter is there in every build: callers send it";
        diagnostics.at(cfg, message);
        is_sound = false;
    }
    let name = match &*input.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => pat.ident.clone(),
        pat => {
            let message = "expected a plain name: it becomes the parameter that callers fill in";
            diagnostics.at(pat, message);
            is_sound = false;
            format_ident!("_argument{index}")
        }
    };
    Argument {
        name,
        ty: is_sound.then(|| input.ty.clone()),
    }
}
