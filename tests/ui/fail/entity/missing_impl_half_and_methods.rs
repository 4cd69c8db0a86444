use serde::{Deserialize, Serialize};
use statefn::entity;

#[entity(event_sourced)]
#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: Vec<String>,
}

fn main() {}
