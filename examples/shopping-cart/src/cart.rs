//! The domain: what a shopping cart is, and what it says no to.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

/// Longest user name: the limit of an entity id.
pub(crate) const USER_BYTES_MAX: usize = 1024;

/// A product in a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LineItem {
    pub(crate) product_id: String,
    pub(crate) name: String,
    /// Always positive.
    pub(crate) quantity: i64,
}

/// What can happen to a cart.
#[derive(Clone, Debug, PartialEq, Eq, Event, Serialize, Deserialize)]
pub(crate) enum CartEvent {
    /// Some of a product was put in. Of a product already there, the first name stays.
    ItemAdded {
        product_id: String,
        name: String,
        quantity: i64,
    },
    /// A product was taken out, whatever its quantity.
    ItemRemoved { product_id: String },
    /// The customer paid: nothing changes any more.
    CheckedOut,
}

/// Why a cart refuses a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub(crate) enum CartError {
    #[error("quantity of {product_id} must be positive, not {quantity}")]
    QuantityNotPositive { product_id: String, quantity: i64 },
    #[error("that is more of {product_id} than can be counted")]
    QuantityOverflow { product_id: String },
    #[error("{product_id} is not in the cart")]
    NotInCart { product_id: String },
    #[error("the cart is checked out already")]
    CheckedOut,
}

/// A customer's shopping cart.
///
/// Keys are remembered for ten years, so that a file that is replayed with `--keys` can be
/// replayed again as long as anybody still has it.
#[entity(
    event_sourced,
    name = "cart",
    snapshot_every = 100,
    passivate_after = "10m",
    key_retention = "3652d"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cart {
    /// In the order in which the products were first put in.
    pub(crate) items: Vec<LineItem>,
    pub(crate) checked_out: bool,
}

#[entity]
impl Cart {
    /// Puts `quantity` of a product in the cart and returns how many are there now.
    #[command]
    fn add_item(
        &self,
        ctx: &mut Context<Self>,
        product_id: String,
        name: String,
        quantity: i64,
    ) -> Result<i64, CartError> {
        self.still_open()?;
        if quantity <= 0 {
            return Err(CartError::QuantityNotPositive {
                product_id,
                quantity,
            });
        }
        // Decided here, so that no stored event can overflow when it is applied.
        let present = self.item(&product_id).map_or(0, |item| item.quantity);
        let Some(total) = present.checked_add(quantity) else {
            return Err(CartError::QuantityOverflow { product_id });
        };
        ctx.emit(CartEvent::ItemAdded {
            product_id,
            name,
            quantity,
        });
        Ok(total)
    }

    /// Takes a product out and returns how many products are left.
    #[command]
    fn remove_item(
        &self,
        ctx: &mut Context<Self>,
        product_id: String,
    ) -> Result<Then<Self, usize>, CartError> {
        self.still_open()?;
        if self.item(&product_id).is_none() {
            return Err(CartError::NotInCart { product_id });
        }
        ctx.emit(CartEvent::ItemRemoved { product_id });
        Ok(ctx.then(|cart| cart.items.len()))
    }

    /// Closes the cart for good.
    #[command]
    fn check_out(&self, ctx: &mut Context<Self>) -> Result<(), CartError> {
        self.still_open()?;
        ctx.emit(CartEvent::CheckedOut);
        Ok(())
    }

    /// The whole cart.
    #[query]
    fn contents(&self) -> Cart {
        self.clone()
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
            CartEvent::CheckedOut => self.checked_out = true,
        }
    }
}

impl Cart {
    fn still_open(&self) -> Result<(), CartError> {
        if self.checked_out {
            Err(CartError::CheckedOut)
        } else {
            Ok(())
        }
    }

    fn item(&self, product_id: &str) -> Option<&LineItem> {
        self.items.iter().find(|i| i.product_id == product_id)
    }
}

impl CartError {
    /// The reason without its particulars, for counting and for programs.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::QuantityNotPositive { .. } => "quantity_not_positive",
            Self::QuantityOverflow { .. } => "quantity_overflow",
            Self::NotInCart { .. } => "not_in_cart",
            Self::CheckedOut => "checked_out",
        }
    }
}

#[cfg(test)]
mod tests {
    use statefn::testing::Scenario;

    use super::*;

    fn added(product: &str, name: &str, quantity: i64) -> CartEvent {
        CartEvent::ItemAdded {
            product_id: product.into(),
            name: name.into(),
            quantity,
        }
    }

    fn removed(product: &str) -> CartEvent {
        CartEvent::ItemRemoved {
            product_id: product.into(),
        }
    }

    fn item(product: &str, name: &str, quantity: i64) -> LineItem {
        LineItem {
            product_id: product.into(),
            name: name.into(),
            quantity,
        }
    }

    #[test]
    fn events_keep_their_stored_form() {
        statefn::testing::check_events_lock!();
    }

    #[test]
    fn quantities_add_up_and_the_first_name_stays() {
        Scenario::<Cart>::new("alice")
            .given([added("p1", "Deluxe", 5)])
            .when(|cart, ctx| cart.add_item(ctx, "p1".into(), "Other".into(), 2))
            .then_events([added("p1", "Other", 2)])
            .then_reply(7)
            .query(|cart| cart.contents().items)
            .then_reply(vec![item("p1", "Deluxe", 7)]);
    }

    #[test]
    fn items_come_in_the_order_of_first_insertion() {
        Scenario::<Cart>::new("alice")
            .given([added("z", "Z", 1), added("a", "A", 1), added("z", "Z", 1)])
            .when(|cart, ctx| cart.remove_item(ctx, "z".into()))
            .then_events([removed("z")])
            .then_reply(1)
            .when(|cart, ctx| cart.add_item(ctx, "z".into(), "Z".into(), 1))
            .then_reply(1)
            .query(|cart| cart.contents().items)
            .then_reply(vec![item("a", "A", 1), item("z", "Z", 1)]);
    }

    #[test]
    fn only_positive_quantities_can_be_added() {
        for quantity in [0, -1, i64::MIN] {
            Scenario::<Cart>::new("alice")
                .when(|cart, ctx| cart.add_item(ctx, "p1".into(), "Deluxe".into(), quantity))
                .then_no_events()
                .then_rejection(CartError::QuantityNotPositive {
                    product_id: "p1".into(),
                    quantity,
                });
        }
    }

    #[test]
    fn a_sum_never_overflows() {
        Scenario::<Cart>::new("alice")
            .given([added("p1", "Deluxe", i64::MAX - 1)])
            .when(|cart, ctx| cart.add_item(ctx, "p1".into(), "Deluxe".into(), 1))
            .then_reply(i64::MAX)
            .when(|cart, ctx| cart.add_item(ctx, "p1".into(), "Deluxe".into(), 1))
            .then_no_events()
            .then_rejection(CartError::QuantityOverflow {
                product_id: "p1".into(),
            });
    }

    #[test]
    fn only_what_is_there_can_be_removed() {
        Scenario::<Cart>::new("alice")
            .given([added("p1", "Deluxe", 5), removed("p1")])
            .when(|cart, ctx| cart.remove_item(ctx, "p1".into()))
            .then_no_events()
            .then_rejection(CartError::NotInCart {
                product_id: "p1".into(),
            });
    }

    #[test]
    fn a_cart_that_is_checked_out_never_changes() {
        Scenario::<Cart>::new("alice")
            .given([added("p1", "Deluxe", 5)])
            .when(Cart::check_out)
            .then_events([CartEvent::CheckedOut])
            .then_reply(())
            .when(|cart, ctx| cart.add_item(ctx, "p1".into(), "Deluxe".into(), 1))
            .then_rejection(CartError::CheckedOut)
            .when(|cart, ctx| cart.remove_item(ctx, "p1".into()))
            .then_rejection(CartError::CheckedOut)
            .when(Cart::check_out)
            .then_rejection(CartError::CheckedOut);
    }
}
