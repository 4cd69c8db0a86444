//! A shop, its customers, and what projections make of them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

use crate::kit::World;

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) enum ShopEvent {
    Sold { sku: String, quantity: i64 },
    Closed,
}

#[entity(event_sourced, name = "shop")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shop {
    sold: i64,
}

#[entity]
impl Shop {
    #[command]
    fn sell(&self, ctx: &mut Context<Self>, sku: String, quantity: i64) {
        ctx.emit(ShopEvent::Sold { sku, quantity });
    }

    #[command]
    fn close(&self, ctx: &mut Context<Self>) {
        ctx.emit(ShopEvent::Closed);
        ctx.delete();
    }

    #[event_handler]
    fn apply(&mut self, event: &ShopEvent) {
        if let ShopEvent::Sold { quantity, .. } = event {
            self.sold += quantity;
        }
    }
}

#[entity(crud, name = "customer")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Customer {
    city: String,
}

impl Customer {
    pub(crate) fn living_in(city: &str) -> Self {
        let city = city.to_owned();
        Self { city }
    }
}

#[entity]
impl Customer {
    #[command]
    fn moves_to(&mut self, city: String) {
        self.city = city;
    }

    #[command]
    fn leave(&mut self, ctx: &mut Context<Self>) {
        ctx.delete();
    }
}

/// How much of a product was sold, in all shops.
#[view(name = "sold")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sold {
    #[key]
    pub(crate) sku: String,
    #[index]
    pub(crate) quantity: i64,
    pub(crate) newest: u64,
}

/// Who lives where.
#[view(name = "resident")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Resident {
    #[key]
    pub(crate) city: String,
    #[key]
    pub(crate) customer: String,
}

/// What the handler of a sale of this product does: panic, or fail.
pub(crate) const PANICS: &str = "a cursed product";
pub(crate) const FAILS: &str = "an impossible product";

/// How often the sale of a product is still to fail. Each test has products of its own.
pub(crate) static FAILURES: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

/// Whether the sale of a product fails this time.
fn fails(sku: &str) -> bool {
    let mut failures = FAILURES.lock().unwrap();
    match failures.get_mut(sku) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => sku == FAILS,
    }
}

/// Lets the next so many attempts at a product fail.
pub(crate) fn let_fail(sku: &str, times: u64) {
    FAILURES.lock().unwrap().insert(sku.to_owned(), times);
}

#[derive(Default)]
pub(crate) struct Sales;

#[projection(name = "sales", version = 1, views = (Sold, Resident))]
impl Sales {
    #[event_handler]
    fn sold(
        &self,
        event: &ShopEvent,
        from: &Envelope<Shop>,
        views: &mut Views<Self>,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let ShopEvent::Sold { sku, quantity } = event else {
            return Ok(());
        };
        assert!(sku != PANICS, "{PANICS}");
        if fails(sku) {
            return Err(format!("{sku} cannot be counted").into());
        }
        let before = views.get::<Sold>(sku)?.map_or(0, |row| row.quantity);
        views.put(&Sold {
            sku: sku.clone(),
            quantity: before + quantity,
            newest: from.offset().get(),
        })?;
        Ok(())
    }

    #[event_handler]
    fn moved(
        &self,
        customer: &Customer,
        from: &Envelope<Customer>,
        views: &mut Views<Self>,
    ) -> Result<(), ViewError> {
        views.put(&Resident {
            city: customer.city.clone(),
            customer: from.id().to_owned(),
        })
    }

    #[removal_handler]
    fn gone(
        &self,
        removal: Removal,
        from: &Envelope<Customer>,
        views: &mut Views<Self>,
    ) -> Result<(), ViewError> {
        views.put(&Resident {
            city: format!("{removal:?}"),
            customer: from.id().to_owned(),
        })
    }
}

/// Counts sales of each shop, and knows no bad products.
#[view(name = "trade", codec = "json")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trade {
    #[key]
    pub(crate) shop: String,
    pub(crate) sales: u64,
}

#[derive(Default)]
pub(crate) struct Trades;

#[projection(name = "trades", views = Trade)]
impl Trades {
    #[event_handler]
    fn sold(
        &self,
        _: &ShopEvent,
        from: &Envelope<Shop>,
        views: &mut Views<Self>,
    ) -> Result<(), ViewError> {
        let before = views.get::<Trade>(from.id())?.map_or(0, |row| row.sales);
        views.put(&Trade {
            shop: from.id().to_owned(),
            sales: before + 1,
        })
    }

    #[removal_handler]
    fn closed(&self, _: Removal, from: &Envelope<Shop>, views: &mut Views<Self>) {
        views.delete::<Trade>(from.id()).unwrap();
    }
}

/// A world with both projections.
pub(crate) async fn shops() -> World {
    World::build(sales).await
}

pub(crate) fn sales(builder: statefn::Builder) -> statefn::Builder {
    builder
        .only::<(Shop, Customer)>()
        .projection::<Sales>()
        .projection::<Trades>()
}

impl World {
    pub(crate) async fn sell(&self, shop: &str, sku: &str, quantity: i64) {
        let shop = self.runtime.entity::<Shop>(shop);
        shop.sell(sku, quantity).await.unwrap();
    }

    pub(crate) async fn sold(&self, sku: &str) -> Option<i64> {
        let row = self.runtime.view::<Sold>().get(sku).await.unwrap();
        row.map(|row| row.quantity)
    }
}
