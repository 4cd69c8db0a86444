//! Names: how Rust identifiers become stored and generated ones.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::ext::IdentExt;

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

/// `add_item` as `AddItem`.
pub(crate) fn camel_case(ident: &Ident) -> String {
    let text = ident.unraw().to_string();
    let words = text.split('_').filter(|word| !word.is_empty());
    words
        .map(|word| {
            let mut chars = word.chars();
            let first = chars.next().into_iter().flat_map(char::to_uppercase);
            first.chain(chars).collect::<String>()
        })
        .collect()
}

/// The reference type of an entity: `CartRef`.
pub(crate) fn reference(entity: &Ident) -> Ident {
    Ident::new(&format!("{}Ref", entity.unraw()), entity.span())
}

/// The hidden type of an operation: `__CartAddItem`.
pub(crate) fn operation(entity: &Ident, method: &Ident) -> Ident {
    format_ident!(
        "__{}{}",
        entity.unraw(),
        camel_case(method),
        span = Span::call_site()
    )
}

/// The hidden enum of an entity's event structs: `__CartEvents`.
pub(crate) fn events(entity: &Ident) -> Ident {
    format_ident!("__{}Events", entity.unraw(), span = Span::call_site())
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
    use super::*;

    fn ident(text: &str) -> Ident {
        Ident::new(text, Span::call_site())
    }

    #[test]
    fn names_follow_rust_habits() {
        assert_eq!(kebab_case(&ident("ShoppingCart")), "shopping-cart");
        assert_eq!(kebab_case(&ident("Cart2Go")), "cart2-go");
        assert_eq!(camel_case(&ident("add_item")), "AddItem");
        assert_eq!(
            operation(&ident("Cart"), &ident("add_item")).to_string(),
            "__CartAddItem"
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
