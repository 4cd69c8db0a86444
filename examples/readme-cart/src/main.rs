use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineItem { product_id: String, name: String, quantity: i64 }

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub enum CartEvent {
    ItemAdded { product_id: String, name: String, quantity: i64 },
    ItemRemoved { product_id: String },
}

#[derive(Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
pub enum CartError {
    #[error("quantity of {0} must be positive")] Quantity(String),
    #[error("{0} is not in the cart")] Absent(String),
}

/// A customer's shopping cart.
#[entity(event_sourced, name = "cart", snapshot_every = 100, passivate_after = "10m")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cart { items: Vec<LineItem> }

#[entity]
impl Cart {
    /// Puts `quantity` of a product in the cart.
    #[command]
    fn add_item(&self, ctx: &mut Context<Self>, product_id: String, name: String, quantity: i64) -> Result<(), CartError> {
        if quantity <= 0 { return Err(CartError::Quantity(product_id)); }
        ctx.emit(CartEvent::ItemAdded { product_id, name, quantity });
        Ok(())
    }

    /// Takes a product out and returns what is left.
    #[command]
    fn remove_item(&self, ctx: &mut Context<Self>, product_id: String) -> Result<Then<Self, usize>, CartError> {
        if !self.items.iter().any(|i| i.product_id == product_id) { return Err(CartError::Absent(product_id)); }
        ctx.emit(CartEvent::ItemRemoved { product_id });
        Ok(ctx.then(|cart| cart.items.len()))
    }

    #[query]
    fn items(&self) -> Vec<LineItem> { self.items.clone() }

    #[event_handler]
    fn apply(&mut self, event: &CartEvent) {
        match event {
            CartEvent::ItemAdded { product_id, name, quantity } => match self.items.iter_mut().find(|i| i.product_id == *product_id) {
                Some(item) => item.quantity += quantity,
                None => self.items.push(LineItem { product_id: product_id.clone(), name: name.clone(), quantity: *quantity }),
            },
            CartEvent::ItemRemoved { product_id } => self.items.retain(|i| i.product_id != *product_id),
        }
    }
}

#[statefn::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::builder().store(Sqlite::open("carts.db")?).build().await?;
    let cart = runtime.entity::<Cart>("alice");          // <Cart as Entity>::Ref = CartRef: no trait to import
    cart.add_item("p1", "Deluxe", 5).await?;             // Result<(), CallError<CartError>>, durable when it returns
    cart.add_item("p1", "Deluxe", 2).with_key("req-77").with_deadline(Duration::from_millis(200)).await?;
    println!("{:?}", cart.items().await?);
    Ok(())
}
