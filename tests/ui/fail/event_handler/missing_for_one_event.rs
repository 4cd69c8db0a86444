use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
struct Added(String);

#[derive(Event, Serialize, Deserialize)]
struct Emptied;

#[entity(event_sourced)]
#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: Vec<String>,
}

#[entity]
impl Cart {
    #[command]
    fn empty(&self, ctx: &mut Context<Self>) {
        ctx.emit(Emptied);
    }

    #[event_handler]
    fn added(&mut self, event: &Added) {
        self.items.push(event.0.clone());
    }
}

fn main() {}
