//! Rules over the whole impl block.

use std::collections::HashMap;

use proc_macro2::Ident;
use syn::{ItemImpl, Type};

use crate::behavior::model::Model;
use crate::diagnostics::Diagnostics;
use crate::names as rules;

/// The entity that the impl block is for.
pub(crate) fn entity(item: &ItemImpl, diagnostics: &mut Diagnostics) -> Option<Ident> {
    if let Some((path, _)) = &item.trait_ {
        let message = "`#[entity]` belongs on the entity's own `impl` block, not a trait's";
        diagnostics.at(path, message);
        return None;
    }
    if rules::refuse_generics(&item.generics, "an entity", diagnostics) {
        return None;
    }
    let entity = match &*item.self_ty {
        Type::Path(path) if path.qself.is_none() => path.path.get_ident().cloned(),
        _ => None,
    };
    if entity.is_none() {
        let message = "expected the plain name of a struct with `#[entity(..)]` in this module";
        diagnostics.at(&item.self_ty, message);
    }
    entity
}

/// Names must be unique: callers and stored keys tell operations apart by them.
pub(crate) fn names(model: &Model, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<&str, &Ident> = HashMap::new();
    for operation in &model.operations {
        if operation.method == "id" {
            let message = "the reference has a method `id` already: call this one differently";
            diagnostics.at(&operation.method, message);
        }
        let name = operation.stored_name.as_str();
        match seen.get(name) {
            // Two of one method name are told apart by `#[cfg]`.
            Some(first) if **first != operation.method => {
                let message = format!("`{name}` is the name of method `{first}` already");
                diagnostics.at_span(operation.name_span, message);
            }
            _ => {}
        }
        seen.entry(name).or_insert(&operation.method);
    }
}
