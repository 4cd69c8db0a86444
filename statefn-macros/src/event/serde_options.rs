//! Serde attributes that would change how an event is stored.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, Token, token};

use crate::diagnostics::Diagnostics;

/// On an enum or a variant these break the mapping between variants and stored names.
const OF_ENUMS: [&str; 11] = [
    "tag",
    "untagged",
    "content",
    "skip",
    "skip_serializing",
    "skip_deserializing",
    "other",
    "from",
    "try_from",
    "into",
    "remote",
];

/// On a field these store less than the handler saw, so that replay would not equal live; a
/// positional codec would even mix the fields up.
const OF_FIELDS: [&str; 5] = [
    "flatten",
    "skip",
    "skip_serializing",
    "skip_deserializing",
    "skip_serializing_if",
];

/// Complains about attributes of an event enum or of one of its variants.
pub(crate) fn refuse_on_enum(attrs: &[Attribute], diagnostics: &mut Diagnostics) {
    refuse(attrs, &OF_ENUMS, diagnostics);
}

/// Complains about attributes of the fields of an event.
pub(crate) fn refuse_on_fields(fields: &syn::Fields, diagnostics: &mut Diagnostics) {
    for field in fields {
        refuse(&field.attrs, &OF_FIELDS, diagnostics);
    }
}

fn refuse(attrs: &[Attribute], refused: &[&str], diagnostics: &mut Diagnostics) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        // Anything that is not a list of options is serde's to complain about.
        let _ = attr.parse_nested_meta(|meta| {
            if let Some(word) = refused.iter().find(|word| meta.path.is_ident(*word)) {
                let message = format!(
                    "an event is stored as its name and all its fields: `#[serde({word})]` \
                     cannot be kept"
                );
                diagnostics.at(&meta.path, message);
            }
            skip_value(&meta)
        });
    }
}

fn skip_value(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if meta.input.peek(token::Paren) {
        meta.parse_nested_meta(|inner| skip_value(&inner))?;
    }
    Ok(())
}
