//! What an impl block declares: operations and event handlers.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, ImplItem, ItemImpl};

use crate::behavior::handler::Handler;
use crate::behavior::method::Role;
use crate::behavior::operation::Operation;
use crate::diagnostics::Diagnostics;

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
