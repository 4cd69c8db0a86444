use statefn::prelude::*;

struct Cart;

#[command]
fn add() {}

impl Cart {
    #[command]
    fn add(&self) {}
}

fn main() {}
