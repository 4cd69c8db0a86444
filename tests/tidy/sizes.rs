//! How long files and functions may be.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::Visit;

use crate::sources::Source;
use crate::{Allowance, Finding};

/// Lines of a file, without its test module.
const FILE_MAX: usize = 600;

/// Lines of a function, from its signature to its last brace.
const FUNCTION_MAX: usize = 70;

/// Known breaches.
pub(crate) const ALLOWED_FILES: &[Allowance] = &[];

/// Known breaches.
pub(crate) const ALLOWED_FUNCTIONS: &[Allowance] = &[];

/// Files over the limit.
pub(crate) fn files(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let tests: usize = source.syntax().items.iter().map(test_lines).sum();
        let lines = source.text.lines().count() - tests;
        if lines > FILE_MAX {
            let what = format!("{lines} lines, at most {FILE_MAX}");
            findings.push(Finding::new(source, lines, what));
        }
    }
    findings
}

/// How many lines an inline test module takes.
fn test_lines(item: &syn::Item) -> usize {
    match item {
        syn::Item::Mod(module) if module.ident == "tests" => lines(module.span()),
        _ => 0,
    }
}

/// Functions over the limit.
pub(crate) fn functions(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let mut long = Long { found: Vec::new() };
        long.visit_file(&source.syntax());
        for (name, line, lines) in long.found {
            let what = format!("`{name}` has {lines} lines, at most {FUNCTION_MAX}");
            findings.push(Finding::new(source, line, what));
        }
    }
    findings
}

struct Long {
    found: Vec<(String, usize, usize)>,
}

impl Long {
    fn look_at(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let first = signature.span().start().line;
        let lines = body.span().end().line - first + 1;
        if lines > FUNCTION_MAX {
            self.found.push((signature.ident.to_string(), first, lines));
        }
    }
}

impl<'ast> Visit<'ast> for Long {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.look_at(&function.sig, &function.block);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.look_at(&function.sig, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.look_at(&function.sig, body);
        }
        syn::visit::visit_trait_item_fn(self, function);
    }
}

fn lines(span: Span) -> usize {
    span.end().line - span.start().line + 1
}

#[test]
fn a_long_file_is_found_and_its_tests_do_not_count() {
    let body = "fn f() {}\n".repeat(FILE_MAX);
    let tests = format!("mod tests {{\n{body}}}\n");
    let full = Source::planted("a.rs", &format!("{body}{tests}"));
    assert!(files(&[full]).is_empty());
    let over = Source::planted("a.rs", &format!("{body}//\n{tests}"));
    assert_eq!(files(&[over]).len(), 1);
}

#[test]
fn a_long_function_is_found_wherever_it_is() {
    let body = "\n".repeat(FUNCTION_MAX);
    for (before, after) in [
        ("", ""),
        ("impl A {", "}"),
        ("trait A {", "}"),
        ("mod m {", "}"),
    ] {
        let over = format!("{before}fn f() {{{body}}}{after}");
        assert_eq!(functions(&[Source::planted("a.rs", &over)]).len(), 1);
        let full = over.replacen('\n', "", 1);
        assert!(functions(&[Source::planted("a.rs", &full)]).is_empty());
    }
}
