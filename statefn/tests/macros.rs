//! Entities made by the macros.

#![expect(missing_docs, reason = "the cart as a reader of README writes it")]

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineItem {
    product_id: String,
    name: String,
    quantity: i64,
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub enum CartEvent {
    ItemAdded {
        product_id: String,
        name: String,
        quantity: i64,
    },
    ItemRemoved {
        product_id: String,
    },
}

#[derive(Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
pub enum CartError {
    #[error("quantity of {0} must be positive")]
    Quantity(String),
    #[error("{0} is not in the cart")]
    Absent(String),
}

/// A customer's shopping cart.
#[entity(
    event_sourced,
    name = "cart",
    snapshot_every = 100,
    passivate_after = "10m"
)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cart {
    items: Vec<LineItem>,
}

#[entity]
impl Cart {
    /// Puts `quantity` of a product in the cart.
    #[command]
    fn add_item(
        &self,
        ctx: &mut Context<Self>,
        product_id: String,
        name: String,
        quantity: i64,
    ) -> Result<(), CartError> {
        if quantity <= 0 {
            return Err(CartError::Quantity(product_id));
        }
        ctx.emit(CartEvent::ItemAdded {
            product_id,
            name,
            quantity,
        });
        Ok(())
    }

    /// Takes a product out and returns what is left.
    #[command]
    fn remove_item(
        &self,
        ctx: &mut Context<Self>,
        product_id: String,
    ) -> Result<Then<Self, usize>, CartError> {
        if !self.items.iter().any(|i| i.product_id == product_id) {
            return Err(CartError::Absent(product_id));
        }
        ctx.emit(CartEvent::ItemRemoved { product_id });
        Ok(ctx.then(|cart| cart.items.len()))
    }

    #[query]
    fn items(&self) -> Vec<LineItem> {
        self.items.clone()
    }

    #[event_handler]
    fn apply(&mut self, event: &CartEvent) {
        match event {
            CartEvent::ItemAdded {
                product_id,
                name,
                quantity,
            } => match self.items.iter_mut().find(|i| i.product_id == *product_id) {
                Some(item) => item.quantity += quantity,
                None => self.items.push(LineItem {
                    product_id: product_id.clone(),
                    name: name.clone(),
                    quantity: *quantity,
                }),
            },
            CartEvent::ItemRemoved { product_id } => {
                self.items.retain(|i| i.product_id != *product_id);
            }
        }
    }
}

#[statefn::test]
async fn a_cart_made_by_the_macros_works() {
    let runtime = Runtime::builder().build().await.expect("a runtime");
    let cart = runtime.entity::<Cart>("alice");
    cart.add_item("p1", "Deluxe", 5).await.expect("added");
    cart.add_item("p1", "Deluxe", 2)
        .with_key("req-77")
        .await
        .expect("added");
    cart.add_item("p1", "Deluxe", 2)
        .with_key("req-77")
        .await
        .expect("added once");
    assert_eq!(
        cart.add_item("p1", "x", 0).await,
        Err(CallError::Rejected(CartError::Quantity("p1".into())))
    );
    let items = cart.items().await.expect("items");
    assert_eq!(
        items,
        [LineItem {
            product_id: "p1".into(),
            name: "Deluxe".into(),
            quantity: 7
        }]
    );
    assert_eq!(cart.remove_item("p1").await, Ok(0));
    runtime.crash().await.expect("claimed");
    assert_eq!(cart.items().await, Ok(vec![]));
}
