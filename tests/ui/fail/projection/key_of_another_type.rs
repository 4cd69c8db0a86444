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

#[projection(views = Row)]
impl Sales {
    #[event_handler]
    fn sold(&self, _: &Sold, _: &Envelope<Shop>, views: &mut Views<Self>) -> Result<(), ViewError> {
        views.delete::<Row>(&5_u64)
    }
}

fn main() {}
