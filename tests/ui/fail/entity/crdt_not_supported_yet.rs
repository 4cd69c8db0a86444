use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
enum CartEvent {
    Emptied,
}

#[entity(crdt)]
#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: Vec<String>,
}

#[entity]
impl Cart {
    #[command]
    fn rename(&mut self, name: String) {
        self.items.push(name);
    }

    #[event_handler]
    fn apply(&mut self, _event: &CartEvent) {
        self.items.clear();
    }
}

fn main() {}
