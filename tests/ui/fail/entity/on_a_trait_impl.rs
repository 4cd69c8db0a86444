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

#[entity]
impl Cart {
    #[event_handler]
    fn apply(&mut self, _event: &CartEvent) {
        self.items.clear();
    }
}

trait Emptied {
    fn is_empty(&self) -> bool;
}

#[entity]
impl Emptied for Cart {
    #[query]
    fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

fn main() {}
