//! A CRDT begins empty and can be copied.

use statefn::crdt::{Crdt, GCounter};

#[derive(Crdt)]
struct Page {
    views: GCounter,
}

fn main() {}
