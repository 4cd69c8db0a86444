//! Names: how Rust identifiers become stored and generated ones.

use proc_macro2::Ident;
use quote::format_ident;
use syn::ext::IdentExt;
use syn::{GenericParam, Generics};

use crate::diagnostics::Diagnostics;

/// Longest stored name, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// `ShoppingCart` as `shopping-cart`.
pub(crate) fn kebab_case(ident: &Ident) -> String {
    let mut name = String::new();
    let text = ident.unraw().to_string();
    let mut before_is_lower = false;
    for c in text.chars() {
        if c == '_' {
            name.push('-');
            before_is_lower = false;
            continue;
        }
        if c.is_uppercase() && before_is_lower {
            name.push('-');
        }
        before_is_lower = c.is_lowercase() || c.is_ascii_digit();
        name.extend(c.to_lowercase());
    }
    name
}

/// The reference type of an entity: `CartRef`.
pub(crate) fn reference(entity: &Ident) -> Ident {
    Ident::new(&format!("{}Ref", entity.unraw()), entity.span())
}

/// The hidden type of an operation: `__Cart_add_item`. Not in camel case, where `add_1` and `add1`
/// would be the same.
pub(crate) fn operation(entity: &Ident, method: &Ident) -> Ident {
    let (span, entity, method) = (entity.span(), entity.unraw(), method.unraw());
    format_ident!("__{entity}_{method}", span = span)
}

/// The hidden enum of an entity's event structs: `__Cart_events`.
pub(crate) fn events(entity: &Ident) -> Ident {
    format_ident!("__{}_events", entity.unraw(), span = entity.span())
}

/// Complains about the generic parameters of something stored; answers whether there are any.
pub(crate) fn refuse_generics(
    generics: &Generics,
    what: &str,
    diagnostics: &mut Diagnostics,
) -> bool {
    let reason = match generics.params.first() {
        None => return false,
        Some(GenericParam::Lifetime(_)) => "it is stored and owns everything that it holds",
        Some(_) => "it is stored under one stable name",
    };
    diagnostics.at(
        generics,
        format!("{what} has no generic parameters: {reason}"),
    );
    true
}

/// What is wrong with a stored name, if anything.
pub(crate) fn complaint(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("a stored name has at least one character".to_owned());
    }
    if name.len() > NAME_BYTES_MAX {
        return Some(format!("a stored name has at most {NAME_BYTES_MAX} bytes"));
    }
    let is_fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    let odd = name.chars().find(|c| !is_fine(*c))?;
    Some(format!(
        "a stored name has letters, digits, `-`, `_`, `.` and `:`, not {odd:?}"
    ))
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn ident(text: &str) -> Ident {
        Ident::new(text, Span::call_site())
    }

    #[test]
    fn names_follow_rust_habits() {
        assert_eq!(kebab_case(&ident("ShoppingCart")), "shopping-cart");
        assert_eq!(kebab_case(&ident("Cart2Go")), "cart2-go");
        assert_eq!(
            operation(&ident("Cart"), &ident("add_item")).to_string(),
            "__Cart_add_item"
        );
    }

    #[test]
    fn stored_names_are_plain() {
        assert_eq!(complaint("shopping-cart.v2"), None);
        assert!(complaint("").is_some());
        assert!(complaint("a b").is_some());
        assert!(complaint(&"x".repeat(129)).is_some());
    }
}
