use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Serialize, Deserialize)]
struct Added(String);

#[entity(event_sourced)]
#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: Vec<String>,
}

#[entity]
impl Cart {
    #[event_handler]
    fn apply(&mut self, _event: &Added) {}
}

fn main() {}
