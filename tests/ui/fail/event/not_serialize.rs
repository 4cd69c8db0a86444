use statefn::prelude::*;

#[derive(Event)]
struct Added;

fn main() {}
