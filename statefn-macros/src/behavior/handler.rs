//! An event handler, understood and checked.

use proc_macro2::Ident;
use syn::{Attribute, ImplItemFn, PatType, ReturnType, Type};

use crate::attribute;
use crate::behavior::method::{Role, attributes, ident, parameters, plain_signature};
use crate::behavior::receiver::Receiver;
use crate::diagnostics::Diagnostics;
use crate::owned;

const FORM: &str = "an event handler looks like `fn apply(&mut self, event: &CartEvent)`";

/// A method that applies an event.
pub(crate) struct Handler {
    pub(crate) method: Ident,
    pub(crate) event: Type,
    /// Whether there was nothing to complain about: only then the handler is called.
    pub(crate) is_sound: bool,
}

impl Handler {
    /// Reads a method; what is wrong is complained about. `None` when it is not even known which
    /// event it is for.
    pub(super) fn read(
        method: &ImplItemFn,
        attr: &Attribute,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let options = attribute::arguments(attr, diagnostics);
        if !options.is_empty() {
            diagnostics.at(options, "`#[event_handler]` has no options");
        }
        let mut is_sound = plain_signature(method, Role::EventHandler, diagnostics);
        is_sound &= is_unconditional(method, diagnostics);
        is_sound &= Receiver::of_handler(method, diagnostics);
        is_sound &= returns_nothing(&method.sig.output, diagnostics);
        let events: Vec<&PatType> = parameters(method).collect();
        let Some((first, rest)) = events.split_first() else {
            diagnostics.at(&method.sig.ident, FORM);
            return None;
        };
        for extra in rest {
            let message = "an event handler has the event only: what it needs is stored in it";
            diagnostics.at(extra, message);
            is_sound = false;
        }
        let event = event(&first.ty, &mut is_sound, diagnostics)?;
        Some(Self {
            method: ident(method),
            event,
            is_sound,
        })
    }
}

/// The event type behind `&`.
fn event(ty: &Type, is_sound: &mut bool, diagnostics: &mut Diagnostics) -> Option<Type> {
    let event = match ty {
        Type::Reference(reference) => {
            if let Some(mutability) = &reference.mutability {
                diagnostics.at(mutability, "expected `&`: a stored event never changes");
                *is_sound = false;
            }
            &*reference.elem
        }
        ty => {
            diagnostics.at(ty, "expected a reference to the event: `event: &..`");
            *is_sound = false;
            ty
        }
    };
    owned::check(event, "events are", diagnostics).then(|| event.clone())
}

fn is_unconditional(method: &ImplItemFn, diagnostics: &mut Diagnostics) -> bool {
    let mut is_unconditional = true;
    for cfg in attributes(method, &["cfg"]) {
        let message = "an event handler is there in every build: every build must be able to \
                       replay what another one has stored";
        diagnostics.at(cfg, message);
        is_unconditional = false;
    }
    if let Some(asyncness) = &method.sig.asyncness {
        let message = "an event handler is not `async`: it runs on every replay";
        diagnostics.at(asyncness, message);
        is_unconditional = false;
    }
    is_unconditional
}

fn returns_nothing(output: &ReturnType, diagnostics: &mut Diagnostics) -> bool {
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => {
            let message = "an event handler returns nothing: a stored fact cannot fail";
            diagnostics.at(ty, message);
            false
        }
    }
}
