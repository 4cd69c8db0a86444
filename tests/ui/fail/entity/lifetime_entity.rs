use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
enum CartEvent {
    Emptied,
}

#[entity(event_sourced)]
#[derive(Default)]
struct Cart<'a> {
    items: Vec<&'a str>,
}

#[entity]
impl<'a> Cart<'a> {
    #[event_handler]
    fn apply(&mut self, _event: &CartEvent) {
        self.items.clear();
    }
}

fn main() {}
