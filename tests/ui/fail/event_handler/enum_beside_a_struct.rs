use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
enum CartEvent {
    Emptied,
}

#[derive(Event, Serialize, Deserialize)]
struct Added(String);

#[entity(event_sourced)]
#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: Vec<String>,
}

#[entity]
impl Cart {
    #[event_handler]
    fn apply(&mut self, _event: &CartEvent) {}

    #[event_handler]
    fn added(&mut self, _event: &Added) {}
}

fn main() {}
