//! What sells best: a projection over the events of all carts.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

use crate::cart::{Cart, CartEvent};

/// A cart that somebody fills: what `top` counts once it is checked out.
#[view(name = "open-cart")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenCart {
    #[key]
    pub(crate) user: String,
    /// Product, name and quantity, in the order in which products were first put in.
    pub(crate) items: Vec<(String, String, i64)>,
}

/// How much of a product was bought.
#[view(name = "bestseller")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bestseller {
    #[key]
    pub(crate) product_id: String,
    /// As the first buyer's cart called it.
    pub(crate) name: String,
    #[index]
    pub(crate) bought: i64,
    /// In how many carts.
    pub(crate) carts: u64,
}

/// Follows all carts; a cart counts when it is checked out.
#[derive(Debug, Default)]
pub(crate) struct Bestsellers;

#[projection(name = "bestsellers", version = 1, views = (OpenCart, Bestseller))]
impl Bestsellers {
    #[event_handler]
    fn follow(
        &self,
        event: &CartEvent,
        from: &Envelope<Cart>,
        views: &mut Views<Self>,
    ) -> Result<(), ViewError> {
        let open = views.get::<OpenCart>(from.id())?;
        let mut cart = open.unwrap_or_else(|| OpenCart {
            user: from.id().to_owned(),
            items: Vec::new(),
        });
        match event {
            CartEvent::ItemAdded {
                product_id,
                name,
                quantity,
            } => {
                match cart.items.iter_mut().find(|(id, ..)| id == product_id) {
                    Some((_, _, there)) => *there = there.saturating_add(*quantity),
                    None => cart
                        .items
                        .push((product_id.clone(), name.clone(), *quantity)),
                }
                views.put(&cart)
            }
            CartEvent::ItemRemoved { product_id } => {
                cart.items.retain(|(id, ..)| id != product_id);
                views.put(&cart)
            }
            CartEvent::CheckedOut => {
                for (product_id, name, quantity) in cart.items {
                    Self::count(product_id, name, quantity, views)?;
                }
                views.delete::<OpenCart>(from.id())
            }
        }
    }

    fn count(
        product_id: String,
        name: String,
        quantity: i64,
        views: &mut Views<Self>,
    ) -> Result<(), ViewError> {
        let known = views.get::<Bestseller>(&product_id)?;
        let mut row = known.unwrap_or(Bestseller {
            product_id,
            name,
            bought: 0,
            carts: 0,
        });
        row.bought = row.bought.saturating_add(quantity);
        row.carts += 1;
        views.put(&row)
    }
}

#[cfg(test)]
mod tests {
    use statefn::testing::ProjectionScenario;

    use super::*;

    fn added(product: &str, quantity: i64) -> CartEvent {
        CartEvent::ItemAdded {
            product_id: product.to_owned(),
            name: product.to_uppercase(),
            quantity,
        }
    }

    #[test]
    fn what_was_checked_out_counts_and_what_was_taken_out_does_not() {
        let removed = CartEvent::ItemRemoved {
            product_id: "pears".to_owned(),
        };
        ProjectionScenario::<Bestsellers>::new()
            .given::<Cart>(
                "anna",
                [added("apples", 2), added("pears", 9), added("apples", 1)],
            )
            .given::<Cart>("bert", [added("apples", 4), CartEvent::CheckedOut])
            .given::<Cart>("carl", [added("plums", 1)])
            .given::<Cart>("anna", [removed, CartEvent::CheckedOut])
            .then_rows([Bestseller {
                product_id: "apples".to_owned(),
                name: "APPLES".to_owned(),
                bought: 7,
                carts: 2,
            }])
            .then_rows([OpenCart {
                user: "carl".to_owned(),
                items: vec![("plums".to_owned(), "PLUMS".to_owned(), 1)],
            }]);
    }
}
