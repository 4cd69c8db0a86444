//! The cart as cqrs-es wants it.

use std::collections::BTreeMap;

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};

/// The cart.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Cart {
    items: BTreeMap<String, u32>,
}

/// Puts `quantity` of a product in the cart.
#[derive(Debug)]
pub(crate) struct AddItem {
    /// The product.
    pub(crate) product: String,
    /// Its name.
    pub(crate) name: String,
    /// How many.
    pub(crate) quantity: u32,
}

/// What happens to a cart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum CartEvent {
    /// Some of a product was put in.
    ItemAdded {
        /// The product.
        product: String,
        /// Its name.
        name: String,
        /// How many.
        quantity: u32,
    },
}

/// The cart's no.
#[derive(Debug, thiserror::Error)]
#[error("a quantity must be positive")]
pub(crate) struct NotPositive;

impl DomainEvent for CartEvent {
    fn event_type(&self) -> String {
        "ItemAdded".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Cart {
    const TYPE: &'static str = "cart";
    type Command = AddItem;
    type Event = CartEvent;
    type Error = NotPositive;
    type Services = ();

    async fn handle(
        &mut self,
        command: AddItem,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), NotPositive> {
        if command.quantity == 0 {
            return Err(NotPositive);
        }
        let AddItem {
            product,
            name,
            quantity,
        } = command;
        sink.write(
            CartEvent::ItemAdded {
                product,
                name,
                quantity,
            },
            self,
        )
        .await;
        Ok(())
    }

    fn apply(&mut self, event: CartEvent) {
        let CartEvent::ItemAdded {
            product, quantity, ..
        } = event;
        *self.items.entry(product).or_default() += quantity;
    }
}
