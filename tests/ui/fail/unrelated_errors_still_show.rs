use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
enum CartEvent {
    Emptied,
}

#[entity(event_sourced, passivate_after = "soon")]
#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: Vec<String>,
}

#[entity]
impl Cart {
    #[command]
    fn rename(&self, names: &[String]) {}

    #[query]
    fn count(&self) -> usize {
        self.items.len()
    }

    #[event_handler]
    fn apply(&mut self, _event: &CartEvent) {
        self.items.clear();
    }
}

/// All of this is right but the one line that says so: the struct, its methods and its reference
/// are there although the macro had to complain.
async fn callers(runtime: &Runtime) {
    let cart = Cart::default();
    let _: usize = cart.count();
    cart.rename(&[]);
    let cart: CartRef = runtime.entity::<Cart>("alice");
    let _: usize = cart.count().await.unwrap();
    let _ = cart.rename(&[]).with_key("key").await;
    let wrong: String = cart.count().await.unwrap();
}

fn main() {}
