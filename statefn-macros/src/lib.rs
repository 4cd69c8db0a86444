//! Attribute and derive macros of statefn.
//!
//! Use them through the `statefn` crate, whose pages have the examples. Each macro is a pipeline:
//! syntax, a typed model with all complaints collected, an expansion that cannot fail.

use proc_macro::TokenStream;

mod action;
mod attribute;
mod behavior;
mod crdt;
mod diagnostics;
mod duration;
mod entity;
mod event;
mod main_fn;
mod names;
mod owned;
mod projection;
mod view;

/// Makes an entity of a struct, and its commands and queries of an impl.
///
/// On the struct: `#[entity(event_sourced, ..)]`, `#[entity(crud, ..)]` or `#[entity(crdt, ..)]` with any of `name = "cart"`,
/// `snapshot_every = 100` (event-sourced), `version = 2`, `from = CartV1` (CRUD), `passivate_after = "10m"`, `codec = "json"`, `key_retention = "24h"`,
/// `shape = ".."`, `crate = path`. On the impl: `#[entity]`, with `crate = path` at most.
#[proc_macro_attribute]
pub fn entity(options: TokenStream, item: TokenStream) -> TokenStream {
    entity::expand(options.into(), &item.into()).into()
}

/// Makes an event of a struct, or events of an enum: one a variant.
///
/// Options, in `#[event(..)]` on the struct or a variant: `name = ".."`, `version = 2`,
/// `from = TheVersionBefore`, `shape = ".."`; on the type: `crate = path`.
#[proc_macro_derive(Event, attributes(event))]
pub fn event(item: TokenStream) -> TokenStream {
    event::expand(item.into()).into()
}

/// Makes a CRDT of a struct of CRDTs. Option, in `#[crdt(..)]` on the struct: `crate = path`.
#[proc_macro_derive(Crdt, attributes(crdt))]
pub fn crdt(item: TokenStream) -> TokenStream {
    crdt::expand(item.into()).into()
}

/// Makes an action of an impl block: every method with an `&ActionContext` is a handler. Options:
/// `name = ".."`, `crate = path`.
#[proc_macro_attribute]
pub fn action(options: TokenStream, item: TokenStream) -> TokenStream {
    action::expand(options.into(), &item.into()).into()
}

/// Makes a row of a view of a struct: `#[key]` on the field (or fields) that it is found by, `#[index]`
/// on fields that it is listed by. Options: `name = ".."`, `codec = "json"`, `shape = ".."`,
/// `crate = path`.
#[proc_macro_attribute]
pub fn view(options: TokenStream, item: TokenStream) -> TokenStream {
    view::expand(options.into(), &item.into()).into()
}

/// Makes a projection of an impl block with handlers. Options: `name = ".."`, `version = 2`,
/// `views = (SoldPerSku, ..)`, `start = "now"`, `crate = path`.
#[proc_macro_attribute]
pub fn projection(options: TokenStream, item: TokenStream) -> TokenStream {
    projection::expand(options.into(), &item.into()).into()
}

/// Runs an `async fn main` on a multi-threaded tokio runtime. Option: `crate = path`.
#[proc_macro_attribute]
pub fn main(options: TokenStream, item: TokenStream) -> TokenStream {
    main_fn::expand(options.into(), &item.into(), &main_fn::Flavor::Main).into()
}

/// Runs an `async fn` as a test, on a tokio runtime of one thread. Option: `crate = path`.
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    main_fn::expand(options.into(), &item.into(), &main_fn::Flavor::Test).into()
}

/// A method of an `#[entity]` impl that may change the entity: `&self` (event-sourced, it emits
/// events) or `&mut self` (CRUD, CRDT), `ctx: &mut Context<Self>` if it needs one, then arguments. Option: `name = ".."`.
#[proc_macro_attribute]
pub fn command(_options: TokenStream, item: TokenStream) -> TokenStream {
    diagnostics::misplaced("command", &item.into()).into()
}

/// A method of an `#[entity]` impl that only reads: `&self`, then arguments. Option: `name = ".."`.
#[proc_macro_attribute]
pub fn query(_options: TokenStream, item: TokenStream) -> TokenStream {
    diagnostics::misplaced("query", &item.into()).into()
}

/// A method of a `#[projection]` impl that hears of entities that are no more: `&self`,
/// `removal: Removal`, `from: &Envelope<..>`, `views: &mut Views<Self>`. No options.
#[proc_macro_attribute]
pub fn removal_handler(_options: TokenStream, item: TokenStream) -> TokenStream {
    diagnostics::misplaced_beside("removal_handler", "projection", &item.into()).into()
}

/// A method of an `#[entity]` impl that changes the state by an event: `&mut self`, `event: &..`; of
/// a `#[projection]` impl, one that makes rows of it. No options.
#[proc_macro_attribute]
pub fn event_handler(_options: TokenStream, item: TokenStream) -> TokenStream {
    diagnostics::misplaced("event_handler", &item.into()).into()
}
