use statefn::prelude::*;

#[entity(event_sourced)]
fn cart() {}

fn main() {}
