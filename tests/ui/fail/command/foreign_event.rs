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

#[derive(Event, Serialize, Deserialize)]
enum DoorEvent {
    Opened,
}

#[entity]
impl Cart {
    #[command]
    fn open(&self, ctx: &mut Context<Self>) {
        ctx.emit(DoorEvent::Opened);
    }

    #[event_handler]
    fn apply(&mut self, _event: &CartEvent) {
        self.items.clear();
    }
}

fn main() {}
