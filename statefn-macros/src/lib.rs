//! Attribute and derive macros of statefn.
//!
//! Documented where they are used: on the re-exports in the `statefn` crate. Each macro is a
//! pipeline: syntax, typed model with all complaints collected, expansion that cannot fail.

use proc_macro::TokenStream;

mod attribute;
mod behavior;
mod diagnostics;
mod duration;
mod entity;
mod event;
mod main_fn;
mod names;
mod owned;

/// See `statefn::entity`.
#[proc_macro_attribute]
pub fn entity(options: TokenStream, item: TokenStream) -> TokenStream {
    entity::expand(options.into(), &item.into()).into()
}

/// See `statefn::Event`.
#[proc_macro_derive(Event, attributes(event))]
pub fn event(item: TokenStream) -> TokenStream {
    event::expand(item.into()).into()
}

/// See `statefn::main`.
#[proc_macro_attribute]
pub fn main(options: TokenStream, item: TokenStream) -> TokenStream {
    main_fn::expand(options.into(), &item.into(), &main_fn::Flavor::Main).into()
}

/// See `statefn::test`.
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    main_fn::expand(options.into(), &item.into(), &main_fn::Flavor::Test).into()
}

/// See `statefn::command`.
#[proc_macro_attribute]
pub fn command(_options: TokenStream, item: TokenStream) -> TokenStream {
    diagnostics::misplaced("command", &item.into()).into()
}

/// See `statefn::query`.
#[proc_macro_attribute]
pub fn query(_options: TokenStream, item: TokenStream) -> TokenStream {
    diagnostics::misplaced("query", &item.into()).into()
}

/// See `statefn::event_handler`.
#[proc_macro_attribute]
pub fn event_handler(_options: TokenStream, item: TokenStream) -> TokenStream {
    diagnostics::misplaced("event_handler", &item.into()).into()
}
