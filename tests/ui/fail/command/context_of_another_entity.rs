use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
enum CartEvent {
    Emptied,
}

#[entity(event_sourced)]
#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: Vec<String>,
}

#[entity(event_sourced)]
#[derive(Default, Serialize, Deserialize)]
struct Door;

#[entity]
impl Door {
    #[event_handler]
    fn apply(&mut self, _event: &CartEvent) {}
}

#[entity]
impl Cart {
    #[command]
    fn empty(&self, _ctx: &mut Context<Door>) {}

    #[event_handler]
    fn apply(&mut self, _event: &CartEvent) {
        self.items.clear();
    }
}

fn main() {}
