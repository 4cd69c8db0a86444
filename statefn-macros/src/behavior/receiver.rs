//! The receiver of a handler: it says what the handler may do.

use proc_macro2::Ident;
use syn::{ImplItemFn, Receiver as Syntax, ReceiverKind, Token};

use crate::behavior::method::Role;
use crate::diagnostics::Diagnostics;

/// A receiver that handlers may have.
pub(crate) enum Receiver {
    /// `&self`
    Shared,
    /// `&mut self`: whether the state model allows the `mut` is not known here.
    Exclusive(Token![mut]),
}

impl Receiver {
    /// Reads the receiver of a command or query; `None` was complained about.
    pub(crate) fn of_operation(
        method: &ImplItemFn,
        role: Role,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let complaint = match role {
            Role::Query => "a query takes `&self`: it only reads",
            _ => {
                "a command takes `&self` if it is event-sourced (it changes the state through the \
                 events that it emits with `ctx.emit(..)`), or `&mut self` in a CRUD entity"
            }
        };
        match read(method, complaint, diagnostics)? {
            Self::Exclusive(_) if role == Role::Query => {
                diagnostics.at(method.sig.receiver(), complaint);
                None
            }
            receiver => Some(receiver),
        }
    }

    /// Checks the receiver of an event handler.
    pub(crate) fn of_handler(method: &ImplItemFn, diagnostics: &mut Diagnostics) -> bool {
        let complaint = "an event handler takes `&mut self`: it applies the event to the state";
        match read(method, complaint, diagnostics) {
            Some(Self::Exclusive(_)) => true,
            Some(Self::Shared) => {
                if let Some(receiver) = method.sig.receiver() {
                    diagnostics.at(receiver, complaint);
                }
                false
            }
            None => false,
        }
    }
}

fn read(method: &ImplItemFn, complaint: &str, diagnostics: &mut Diagnostics) -> Option<Receiver> {
    let Some(receiver) = method.sig.receiver() else {
        let ident: &Ident = &method.sig.ident;
        diagnostics.at(ident, complaint);
        return None;
    };
    let receiver = borrowed(receiver);
    if receiver.is_none() {
        diagnostics.at(method.sig.receiver(), complaint);
    }
    receiver
}

fn borrowed(receiver: &Syntax) -> Option<Receiver> {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => Some(Receiver::Shared),
        ReceiverKind::Reference(_, _, Some(mutability)) => Some(Receiver::Exclusive(*mutability)),
        _ => None,
    }
}
