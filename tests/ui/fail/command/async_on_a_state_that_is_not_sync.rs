use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
enum CartEvent {
    Emptied,
}

#[entity(event_sourced)]
#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: std::cell::RefCell<Vec<String>>,
}

#[entity]
impl Cart {
    #[command]
    async fn pay(&self, ctx: &mut Context<Self>) {
        let _ = ctx.entity::<Self>("other").pay().await;
        ctx.emit(CartEvent::Emptied);
    }

    #[event_handler]
    fn apply(&mut self, _event: &CartEvent) {
        self.items.borrow_mut().clear();
    }
}

fn main() {}
