//! A handler of a projection, understood and checked.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericArgument, ImplItemFn, PatType, PathArguments, ReceiverKind, Type,
};

use crate::attribute;
use crate::diagnostics::Diagnostics;
use crate::owned;

const EVENT_FORM: &str = "a handler looks like `fn sold(&self, event: &CartEvent, from: \
                          &Envelope<Cart>, views: &mut Views<Self>)`";
const REMOVAL_FORM: &str = "a handler of removals looks like `fn gone(&self, removal: Removal, from: \
                            &Envelope<Cart>, views: &mut Views<Self>)`";

/// What a handler hears.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Event,
    Removal,
}

impl Role {
    /// The role that an attribute gives, if it is one of ours.
    pub(super) fn of(attr: &Attribute) -> Option<Self> {
        let last = attr.path().segments.last()?;
        match last.ident.to_string().as_str() {
            "event_handler" => Some(Self::Event),
            "removal_handler" => Some(Self::Removal),
            _ => None,
        }
    }

    fn form(self) -> &'static str {
        match self {
            Self::Event => EVENT_FORM,
            Self::Removal => REMOVAL_FORM,
        }
    }
}

/// A method that hears something.
pub(super) struct Handler {
    pub(super) method: Ident,
    /// Of which entity type.
    pub(super) entity: Type,
    /// The event, or the state of a CRUD entity; `None`: removals.
    pub(super) event: Option<Type>,
}

impl Handler {
    /// Reads a method; what is wrong is complained about.
    pub(super) fn read(
        method: &ImplItemFn,
        attr: &Attribute,
        role: Role,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let options = attribute::arguments(attr, diagnostics);
        if !options.is_empty() {
            diagnostics.at(options, "a handler has no options");
        }
        let sig = &method.sig;
        if !sig.generics.params.is_empty() {
            let message = "a handler is a plain method: remove the generic parameters";
            diagnostics.at(&sig.generics, message);
            return None;
        }
        if let Some(asyncness) = &sig.asyncness {
            let message =
                "a handler is not `async`: it reads and writes rows, and waits for nothing";
            diagnostics.at(asyncness, message);
            return None;
        }
        check_receiver(method, diagnostics)?;
        let parameters: Vec<&PatType> = sig
            .inputs
            .iter()
            .filter_map(|input| match input {
                FnArg::Typed(typed) => Some(typed),
                FnArg::Receiver(_) => None,
            })
            .collect();
        let [told, from, views] = parameters.as_slice() else {
            diagnostics.at(&sig.ident, role.form());
            return None;
        };
        let event = match role {
            Role::Event => Some(event(&told.ty, diagnostics)?),
            Role::Removal => None,
        };
        let entity = entity(&from.ty, role, diagnostics)?;
        check_views(&views.ty, role, diagnostics)?;
        Some(Self {
            method: sig.ident.clone(),
            entity,
            event,
        })
    }

    /// What it hears of whom, to find a second one that hears the same.
    pub(super) fn hears(&self) -> String {
        let event = self.event.as_ref().map(ToTokens::to_token_stream);
        let event = event.map(|event| event.to_string());
        format!("{} {event:?}", self.entity.to_token_stream())
    }
}

fn check_receiver(method: &ImplItemFn, diagnostics: &mut Diagnostics) -> Option<()> {
    let receiver = method.sig.receiver();
    let is_shared = receiver.is_some_and(|r| matches!(r.kind, ReceiverKind::Reference(_, _, None)));
    if !is_shared {
        let message = "a handler takes `&self`: what it remembers are rows";
        diagnostics.at_span(
            receiver.map_or(method.sig.ident.span(), Spanned::span),
            message,
        );
        return None;
    }
    Some(())
}

fn event(ty: &Type, diagnostics: &mut Diagnostics) -> Option<Type> {
    let Type::Reference(reference) = ty else {
        diagnostics.at(ty, "expected a reference to the event: `event: &..`");
        return None;
    };
    if let Some(mutability) = &reference.mutability {
        diagnostics.at(mutability, "expected `&`: a stored event never changes");
        return None;
    }
    owned::check(&reference.elem, "events are", diagnostics).then(|| (*reference.elem).clone())
}

/// The entity in `&Envelope<Entity>`.
fn entity(ty: &Type, role: Role, diagnostics: &mut Diagnostics) -> Option<Type> {
    let Type::Reference(reference) = ty else {
        diagnostics.at(ty, format!("expected `&Envelope<..>`: {}", role.form()));
        return None;
    };
    let entity = argument_of(&reference.elem, "Envelope");
    if entity.is_none() {
        let message = "expected `&Envelope<..>`, which says of what entity type the handler hears";
        diagnostics.at(ty, message);
    }
    entity
}

fn check_views(ty: &Type, role: Role, diagnostics: &mut Diagnostics) -> Option<()> {
    let is_views = match ty {
        Type::Reference(reference) => {
            reference.mutability.is_some() && argument_of(&reference.elem, "Views").is_some()
        }
        _ => false,
    };
    if !is_views {
        diagnostics.at(ty, format!("expected `&mut Views<Self>`: {}", role.form()));
        return None;
    }
    Some(())
}

/// The one type argument of a path that ends in `name`.
fn argument_of(ty: &Type, name: &str) -> Option<Type> {
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
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    })
}
