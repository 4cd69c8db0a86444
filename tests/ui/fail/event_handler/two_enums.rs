use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
enum CartEvent {
    Emptied,
}

#[derive(Event, Serialize, Deserialize)]
enum DoorEvent {
    Opened,
}

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
    fn door(&mut self, _event: &DoorEvent) {}
}

fn main() {}
