use statefn::prelude::*;

#[action]
struct Bank;

fn main() {}
