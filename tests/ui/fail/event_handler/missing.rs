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
    #[query]
    fn items(&self) -> Vec<String> {
        self.items.clone()
    }
}

fn main() {}
