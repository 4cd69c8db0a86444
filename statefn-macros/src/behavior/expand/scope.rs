//! What all generated code of one impl block shares.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit_mut::{VisitMut, visit_path_mut};
use syn::{Path, Type};

/// The entity, how to reach the `statefn` crate, and where errors in generated code show.
pub(super) struct Scope {
    pub(super) krate: TokenStream,
    pub(super) entity: Ident,
    pub(super) span: Span,
}

impl Scope {
    /// Generated code that shows its errors at the entity's name.
    pub(super) fn new(krate: TokenStream, entity: &Ident) -> Self {
        let scope = Self {
            krate,
            entity: entity.clone(),
            span: Span::call_site(),
        };
        scope.at(entity.span())
    }

    /// Generated code that shows its errors at another place of the user's: one place for a whole
    /// piece of code, so that the compiler sees equal errors as one.
    pub(super) fn at(&self, place: Span) -> Self {
        let span = Span::call_site().located_at(place);
        let mut entity = self.entity.clone();
        entity.set_span(span);
        Self {
            krate: located(self.krate.clone(), place),
            entity,
            span,
        }
    }

    /// A type of the user's, readable outside the impl block.
    pub(super) fn outside(&self, ty: &Type) -> Type {
        struct ReplaceSelf<'a>(&'a Ident);
        impl VisitMut for ReplaceSelf<'_> {
            fn visit_path_mut(&mut self, path: &mut Path) {
                if let Some(first) = path.segments.first_mut().filter(|s| s.ident == "Self") {
                    let span = first.ident.span();
                    first.ident = self.0.clone();
                    first.ident.set_span(span);
                }
                visit_path_mut(self, path);
            }
        }
        let mut ty = ty.clone();
        ReplaceSelf(&self.entity).visit_type_mut(&mut ty);
        ty
    }

    /// The path of serde, as serde's own attributes take it.
    pub(super) fn serde(&self) -> String {
        format!("{}::__private::serde", self.krate).replace(' ', "")
    }
}

/// The name in a type that an error belongs to; stable Rust shows the first token of a span only.
pub(super) fn anchor(ty: &Type) -> Span {
    match ty {
        Type::Reference(reference) => anchor(&reference.elem),
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.map_or_else(|| ty.span(), |last| last.ident.span())
        }
        _ => ty.span(),
    }
}

/// The same names at another place (`$crate` stays what it is).
fn located(tokens: TokenStream, place: Span) -> TokenStream {
    let relocate = |token: TokenTree| match token {
        TokenTree::Group(group) => {
            let span = group.span().located_at(place);
            let mut group = Group::new(group.delimiter(), located(group.stream(), place));
            group.set_span(span);
            TokenTree::Group(group)
        }
        mut token => {
            token.set_span(token.span().located_at(place));
            token
        }
    };
    tokens.into_iter().map(relocate).collect()
}
