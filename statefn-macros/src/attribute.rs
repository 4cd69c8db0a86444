//! The options inside an attribute, read one by one so that one mistake does not hide the next.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, LitInt, LitStr, Meta, Path, Type};

use crate::diagnostics::Diagnostics;
use crate::names;

/// One option as written: `word` or `word = value`.
pub(crate) struct Entry {
    pub(crate) word: Ident,
    /// What stands behind the `=`; `None` without one.
    value: Option<TokenStream>,
}

/// The options of every `#[name(..)]` among `attrs`.
pub(crate) fn helper_entries(
    attrs: &[Attribute],
    name: &str,
    diagnostics: &mut Diagnostics,
) -> Vec<Entry> {
    let mut tokens = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        tokens.push(arguments(attr, diagnostics));
    }
    entries(tokens, diagnostics)
}

/// What stands in the parentheses of an attribute.
pub(crate) fn arguments(attr: &Attribute, diagnostics: &mut Diagnostics) -> TokenStream {
    match &attr.meta {
        Meta::Path(_) => TokenStream::new(),
        Meta::List(list) => list.tokens.clone(),
        Meta::NameValue(pair) => {
            let message = "expected options in parentheses: `(name = \"..\")`";
            diagnostics.at(&pair.value, message);
            TokenStream::new()
        }
    }
}

/// Splits options at their commas; an option that comes twice is complained about and left out.
pub(crate) fn entries(
    attributes: impl IntoIterator<Item = TokenStream>,
    diagnostics: &mut Diagnostics,
) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for part in attributes.into_iter().flat_map(split) {
        let Some(entry) = Entry::read(part, diagnostics) else {
            continue;
        };
        if entries.iter().any(|seen| seen.word == entry.word) {
            let message = format!("option `{}` is given twice", entry.word);
            diagnostics.at(&entry.word, message);
        } else {
            entries.push(entry);
        }
    }
    entries
}

/// Parts between commas, those inside `<..>` left alone.
fn split(tokens: TokenStream) -> Vec<TokenStream> {
    let (mut parts, mut part, mut depth) = (Vec::new(), TokenStream::new(), 0_usize);
    for token in tokens {
        if let TokenTree::Punct(punct) = &token {
            match punct.as_char() {
                ',' if depth == 0 => {
                    parts.push(std::mem::take(&mut part));
                    continue;
                }
                '<' => depth += 1,
                '>' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        part.extend([token]);
    }
    parts.push(part);
    parts.retain(|part| !part.is_empty());
    parts
}

impl Entry {
    fn read(part: TokenStream, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut tokens = part.into_iter();
        let word = match tokens.next()? {
            TokenTree::Ident(word) => word,
            other => {
                diagnostics.at(other, "expected the name of an option");
                return None;
            }
        };
        let value = match tokens.next() {
            None => None,
            Some(TokenTree::Punct(punct)) if punct.as_char() == '=' => Some(tokens.collect()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                diagnostics.at(&group, format!("expected `{word} = ..`"));
                return None;
            }
            Some(other) => {
                diagnostics.at(other, "expected `,` or `=`");
                None
            }
        };
        Some(Self { word, value })
    }

    /// Complains about an option that the attribute does not have.
    pub(crate) fn unknown(&self, known: &[&str], diagnostics: &mut Diagnostics) {
        let known: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
        let expected = match known.as_slice() {
            [only] => only.clone(),
            many => format!("one of {}", many.join(", ")),
        };
        let message = format!("unknown option `{}`, expected {expected}", self.word);
        diagnostics.at(&self.word, message);
    }

    /// Whether the option comes without a value.
    pub(crate) fn is_word(&self) -> bool {
        self.value.is_none()
    }

    /// Complains about a value where none belongs.
    pub(crate) fn no_value(&self, diagnostics: &mut Diagnostics) {
        if let Some(value) = &self.value {
            let message = format!("option `{}` takes no value", self.word);
            if value.is_empty() {
                diagnostics.at(&self.word, message);
            } else {
                diagnostics.at(value, message);
            }
        }
    }

    /// Complains about the value, or about the option when it has none.
    pub(crate) fn expected(&self, expected: &str, diagnostics: &mut Diagnostics) {
        let message = format!("option `{}` expects {expected}", self.word);
        match self.value.as_ref().filter(|value| !value.is_empty()) {
            Some(value) => diagnostics.at(value, message),
            None => diagnostics.at(&self.word, message),
        }
    }

    /// A string literal.
    pub(crate) fn string(&self, expected: &str, diagnostics: &mut Diagnostics) -> Option<LitStr> {
        self.value(<LitStr as Parse>::parse, expected, diagnostics)
    }

    /// A whole number.
    pub(crate) fn number(&self, expected: &str, diagnostics: &mut Diagnostics) -> Option<u64> {
        let literal = self.value(LitInt::parse, expected, diagnostics)?;
        let number = literal.base10_parse().ok();
        if number.is_none() {
            self.expected(expected, diagnostics);
        }
        number
    }

    /// A schema version.
    pub(crate) fn version(&self, diagnostics: &mut Diagnostics) -> Option<u32> {
        let expected = "a whole number from 1: `version = 2`";
        let number = self.number(expected, diagnostics)?;
        let version = u32::try_from(number).ok().filter(|version| *version > 0);
        if version.is_none() {
            self.expected(expected, diagnostics);
        }
        version
    }

    /// The variant of `Codec` that is named.
    pub(crate) fn codec(&self, diagnostics: &mut Diagnostics) -> Option<&'static str> {
        let expected = "`\"bincode\"` or `\"json\"`";
        match self.string(expected, diagnostics)?.value().as_str() {
            "bincode" => Some("Bincode"),
            "json" => Some("Json"),
            _ => {
                self.expected(expected, diagnostics);
                None
            }
        }
    }

    /// A type.
    pub(crate) fn ty(&self, expected: &str, diagnostics: &mut Diagnostics) -> Option<Type> {
        self.value(Type::parse, expected, diagnostics)
    }

    /// A name for the journal.
    pub(crate) fn stored_name(&self, diagnostics: &mut Diagnostics) -> Option<LitStr> {
        let name = self.string("a string: `name = \"..\"`", diagnostics)?;
        match names::complaint(&name.value()) {
            Some(complaint) => {
                diagnostics.at(&name, complaint);
                None
            }
            None => Some(name),
        }
    }

    /// The path of the `statefn` crate, bare or as a string.
    pub(crate) fn krate(&self, diagnostics: &mut Diagnostics) -> Option<Path> {
        let parse = |input: ParseStream<'_>| {
            if input.peek(LitStr) {
                return input.parse::<LitStr>()?.parse_with(Path::parse_mod_style);
            }
            Path::parse_mod_style(input)
        };
        let expected = "the path of the `statefn` crate: `crate = path::to::statefn`";
        self.value(parse, expected, diagnostics)
    }

    fn value<T>(
        &self,
        parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
        expected: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<T> {
        let whole = |input: ParseStream<'_>| {
            let value = parse(input)?;
            let rest: TokenStream = input.parse()?;
            Ok((value, rest))
        };
        let tokens = self.value.clone().unwrap_or_default();
        let Ok((value, rest)) = whole.parse2(tokens) else {
            self.expected(expected, diagnostics);
            return None;
        };
        if let Some(first) = rest.into_iter().next() {
            diagnostics.at(first, "expected `,`");
        }
        Some(value)
    }
}

/// The `statefn` crate as generated code reaches it.
pub(crate) fn krate_tokens(path: Option<&Path>) -> TokenStream {
    path.map_or_else(|| quote!(::statefn), ToTokens::to_token_stream)
}
