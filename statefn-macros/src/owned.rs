//! Whether a type can be stored and sent: nothing borrowed, nothing that has no name.

use syn::visit::{Visit, visit_type};
use syn::{Lifetime, Type, TypeImplTrait, TypeReference};

use crate::diagnostics::Diagnostics;

/// Complains about every borrowed or unnamed part of `ty`; answers whether there was none.
///
/// `what` names the thing: "arguments are".
pub(crate) fn check(ty: &Type, what: &str, diagnostics: &mut Diagnostics) -> bool {
    let mut finder = Finder {
        what,
        diagnostics,
        is_owned: true,
    };
    finder.visit_type(ty);
    finder.is_owned
}

struct Finder<'a> {
    what: &'a str,
    diagnostics: &'a mut Diagnostics,
    is_owned: bool,
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_type_reference(&mut self, ty: &'ast TypeReference) {
        self.is_owned = false;
        let is_str = matches!(&*ty.elem, Type::Path(path) if path.path.is_ident("str"));
        let hint = if is_str { ", here `String`" } else { "" };
        let message = format!(
            "expected an owned type{hint}: {} stored and sent",
            self.what
        );
        self.diagnostics.at(ty, message);
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        self.is_owned = false;
        let message = format!("expected a named type: {} stored and sent", self.what);
        self.diagnostics.at(ty, message);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.is_owned = false;
            let message = format!("expected `'static`: {} stored and sent", self.what);
            self.diagnostics.at(lifetime, message);
        }
    }

    fn visit_type(&mut self, ty: &'ast Type) {
        visit_type(self, ty);
    }
}
