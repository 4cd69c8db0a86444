//! An enum, a struct without fields, and an option that there is not.

use statefn::crdt::{Crdt, GCounter};

#[derive(Clone, Crdt)]
enum Either {
    One(GCounter),
    Other(GCounter),
}

#[derive(Clone, Default, Crdt)]
struct Nothing;

#[derive(Clone, Default, Crdt)]
#[crdt(name = "page")]
struct Page {
    views: GCounter,
}

fn main() {}
