use statefn::prelude::*;

#[derive(Event)]
union Added {
    name: u8,
}

fn main() {}
