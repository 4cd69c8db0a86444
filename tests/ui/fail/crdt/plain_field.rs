//! A field that replicas could not merge.

use statefn::crdt::{Crdt, GCounter};

#[derive(Clone, Default, Crdt)]
struct Page {
    views: GCounter,
    title: String,
}

fn main() {}
