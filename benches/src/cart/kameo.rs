//! The cart as an actor of kameo.

use kameo::Actor;
use kameo::message::{Context, Message};

use super::{CartError, Items, add, decide};

/// A cart.
#[derive(Actor, Default)]
pub(crate) struct Cart {
    items: Items,
}

/// Puts `quantity` of a product in the cart.
pub(crate) struct AddItem {
    pub(crate) product: String,
    pub(crate) name: String,
    pub(crate) quantity: u32,
}

/// Asks how many products are in the cart.
pub(crate) struct Products;

impl Message<AddItem> for Cart {
    type Reply = Result<u32, CartError>;

    async fn handle(
        &mut self,
        command: AddItem,
        _: &mut Context<Self, Self::Reply>,
    ) -> Result<u32, CartError> {
        let AddItem {
            product,
            name,
            quantity,
        } = command;
        let total = decide(&self.items, &product, quantity)?;
        add(&mut self.items, &product, quantity);
        drop(name);
        Ok(total)
    }
}

impl Message<Products> for Cart {
    type Reply = usize;

    async fn handle(&mut self, _: Products, _: &mut Context<Self, usize>) -> usize {
        self.items.len()
    }
}
