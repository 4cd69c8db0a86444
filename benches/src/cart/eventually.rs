//! The cart as eventually wants it.

use eventually::Aggregate;
use futures::future::{BoxFuture, FutureExt, ready};

use super::{CartError, Items, add, decide};

/// A cart.
#[derive(Clone, Debug)]
pub(crate) struct Cart;

/// Puts `quantity` of a product in the cart.
#[derive(Debug)]
pub(crate) struct AddItem {
    pub(crate) product: String,
    pub(crate) name: String,
    pub(crate) quantity: u32,
}

/// Some of a product was put in.
#[derive(Clone, Debug)]
pub(crate) struct ItemAdded {
    product: String,
    #[expect(dead_code, reason = "every contender's event holds it")]
    name: String,
    quantity: u32,
}

impl Aggregate for Cart {
    type Id = String;
    type State = Items;
    type Event = ItemAdded;
    type Command = AddItem;
    type Error = CartError;

    fn apply(mut items: Items, event: ItemAdded) -> Result<Items, CartError> {
        add(&mut items, &event.product, event.quantity);
        Ok(items)
    }

    fn handle<'a, 's: 'a>(
        &'a self,
        _: &'s String,
        items: &'s Items,
        command: AddItem,
    ) -> BoxFuture<'a, Result<Option<Vec<ItemAdded>>, CartError>> {
        let AddItem {
            product,
            name,
            quantity,
        } = command;
        let decided = decide(items, &product, quantity).map(|_| {
            Some(vec![ItemAdded {
                product,
                name,
                quantity,
            }])
        });
        ready(decided).boxed()
    }
}
