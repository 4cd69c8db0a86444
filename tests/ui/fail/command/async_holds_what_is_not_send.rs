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
    #[command]
    async fn pay(&self, ctx: &mut Context<Self>) -> usize {
        let paid = std::rc::Rc::new(self.items.len());
        let _ = ctx.entity::<Self>("other").pay().await;
        *paid
    }

    #[event_handler]
    fn apply(&mut self, _event: &CartEvent) {
        self.items.clear();
    }
}

fn main() {}
