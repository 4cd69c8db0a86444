//! A caller of ractor's cart.

use ractor::ActorRef;
use statefn_bench_kit::Caller;

use crate::cart::ractor::CartMessage;

/// Asks one actor.
pub(super) struct AsksRactor {
    pub(super) cart: ActorRef<CartMessage>,
}

impl Caller for AsksRactor {
    async fn call(&mut self, _: u64) {
        let answer = ractor::call!(self.cart, CartMessage::Products);
        answer.expect("an actor that runs");
    }
}
