use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Debug, Event, Serialize, Deserialize)]
struct Sold;

#[entity(event_sourced)]
#[derive(Default, Serialize, Deserialize)]
struct Shop {}

#[entity]
impl Shop {
    #[event_handler]
    fn sold(&mut self, _: &Sold) {}
}

#[view]
#[derive(Serialize, Deserialize)]
struct Row {
    #[key]
    sku: String,
}

#[derive(Default)]
struct Sales;

impl Sales {
    #[removal_handler]
    fn gone(&self, _: Removal, _: &Envelope<Shop>, _: &mut Views<Self>) {}
}

fn main() {}
