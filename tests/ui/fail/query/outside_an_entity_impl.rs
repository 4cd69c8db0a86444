use statefn::prelude::*;

struct Cart;

impl Cart {
    #[query]
    fn items(&self) {}
}

fn main() {}
