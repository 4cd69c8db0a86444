//! What all generated code of one impl block shares.

use proc_macro2::{Ident, TokenStream};
use syn::visit_mut::{VisitMut, visit_path_mut};
use syn::{Path, Type};

/// The entity, and how to reach the `statefn` crate.
pub(super) struct Scope<'a> {
    pub(super) krate: &'a TokenStream,
    pub(super) entity: &'a Ident,
}

impl Scope<'_> {
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
        ReplaceSelf(self.entity).visit_type_mut(&mut ty);
        ty
    }

    /// The path of serde, as serde's own attributes take it.
    pub(super) fn serde(&self) -> String {
        format!("{}::__private::serde", self.krate).replace(' ', "")
    }
}
