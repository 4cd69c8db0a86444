//! The cart as an entity of statefn, with default options.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

use super::{CartError, Items, add, decide};

/// What happens to a cart.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) enum CartEvent {
    ItemAdded {
        product: String,
        name: String,
        quantity: u32,
    },
}

/// A cart.
#[entity(event_sourced, name = "cart")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cart {
    items: Items,
}

#[entity]
impl Cart {
    /// Puts `quantity` of a product in the cart.
    #[command]
    fn add_item(
        &self,
        ctx: &mut Context<Self>,
        product: String,
        name: String,
        quantity: u32,
    ) -> Result<u32, CartError> {
        let total = decide(&self.items, &product, quantity)?;
        ctx.emit(CartEvent::ItemAdded {
            product,
            name,
            quantity,
        });
        Ok(total)
    }

    /// How many products are in the cart.
    #[query]
    fn products(&self) -> usize {
        self.items.len()
    }

    #[event_handler]
    fn apply(&mut self, event: &CartEvent) {
        let CartEvent::ItemAdded {
            product, quantity, ..
        } = event;
        add(&mut self.items, product, *quantity);
    }
}

/// A cart that never takes a snapshot.
#[entity(event_sourced, name = "long-cart", snapshot_every = 0)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LongCart {
    items: Items,
}

#[entity]
impl LongCart {
    /// Puts `quantity` of a product in the cart.
    #[command]
    fn add_item(
        &self,
        ctx: &mut Context<Self>,
        product: String,
        name: String,
        quantity: u32,
    ) -> Result<u32, CartError> {
        let total = decide(&self.items, &product, quantity)?;
        ctx.emit(CartEvent::ItemAdded {
            product,
            name,
            quantity,
        });
        Ok(total)
    }

    /// How many products are in the cart.
    #[query]
    fn products(&self) -> usize {
        self.items.len()
    }

    #[event_handler]
    fn apply(&mut self, event: &CartEvent) {
        let CartEvent::ItemAdded {
            product, quantity, ..
        } = event;
        add(&mut self.items, product, *quantity);
    }
}
