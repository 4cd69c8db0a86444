//! Callers: what each of them does again and again.

use std::sync::Arc;

use fastrand::Rng;
use kameo::actor::ActorRef;
use statefn_bench_kit::{Caller, data};

use crate::cart::{kameo as kameo_cart, ours};

/// Asks one of our entities, chosen at random.
pub(super) struct Asks {
    pub(super) carts: Arc<[ours::CartRef]>,
    pub(super) random: Rng,
}

impl Caller for Asks {
    async fn call(&mut self, _: u64) {
        let cart = &self.carts[self.random.usize(..self.carts.len())];
        cart.products().await.expect("a query of a resident entity");
    }
}

/// Puts something into one of our carts.
pub(super) struct Adds {
    pub(super) cart: ours::CartRef,
}

impl Caller for Adds {
    async fn call(&mut self, number: u64) {
        let added = self
            .cart
            .add_item(data::product(number), data::name(number), 1)
            .await;
        added.expect("the quantity is positive");
    }
}

/// Asks one of kameo's actors, chosen at random.
pub(super) struct AsksKameo {
    pub(super) carts: Arc<[ActorRef<kameo_cart::Cart>]>,
    pub(super) random: Rng,
}

impl Caller for AsksKameo {
    async fn call(&mut self, _: u64) {
        let cart = &self.carts[self.random.usize(..self.carts.len())];
        cart.ask(kameo_cart::Products)
            .await
            .expect("an actor that runs");
    }
}

/// Puts something into one of kameo's carts.
pub(super) struct AddsKameo {
    pub(super) cart: ActorRef<kameo_cart::Cart>,
}

impl Caller for AddsKameo {
    async fn call(&mut self, number: u64) {
        let command = kameo_cart::AddItem {
            product: data::product(number).to_owned(),
            name: data::name(number).to_owned(),
            quantity: 1,
        };
        self.cart
            .ask(command)
            .await
            .expect("the quantity is positive");
    }
}
