use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
#[event(nam = "cart")]
enum CartEvent {
    #[event(version = 0)]
    Emptied,
}

#[entity(event_sourced, passivate_after = "soon", snapshot_every = "often", colour = "red")]
#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: Vec<String>,
}

#[entity]
impl Cart {
    #[command]
    async fn add(&mut self, ctx: &mut Context<Self>, (name, price): (&str, u64)) {
        ctx.emit(CartEvent::Emptied);
    }

    #[query]
    fn items(self) -> &Vec<String> {
        &self.items
    }

    #[event_handler]
    fn apply(&self, event: CartEvent) {}
}

fn main() {}
