//! The cart as an actor of ractor.

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use super::Items;

/// A cart.
pub(crate) struct Cart;

/// What a cart is told.
pub(crate) enum CartMessage {
    /// How many products are in the cart.
    Products(RpcReplyPort<usize>),
}

impl Actor for Cart {
    type Msg = CartMessage;
    type State = Items;
    type Arguments = Items;

    async fn pre_start(
        &self,
        _: ActorRef<CartMessage>,
        items: Items,
    ) -> Result<Items, ActorProcessingErr> {
        Ok(items)
    }

    async fn handle(
        &self,
        _: ActorRef<CartMessage>,
        message: CartMessage,
        items: &mut Items,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            CartMessage::Products(reply) => Ok(reply.send(items.len())?),
        }
    }
}
