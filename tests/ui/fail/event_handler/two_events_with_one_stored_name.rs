use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
struct Added(String);

#[derive(Event, Serialize, Deserialize)]
#[event(name = "Added")]
struct Put(String);

#[entity(event_sourced)]
#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: Vec<String>,
}

#[entity]
impl Cart {
    #[event_handler]
    fn added(&mut self, _event: &Added) {}

    #[event_handler]
    fn put(&mut self, _event: &Put) {}
}

fn main() {}
