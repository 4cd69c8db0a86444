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

#[projection(version = 0, start = "tomorrow", effects)]
impl Sales {
    #[event_handler]
    fn sold(&self, _: &Sold, _: &Envelope<Shop>, _: &mut Views<Self>) {}
}

#[derive(Default)]
struct Deaf;

#[projection(views = ())]
impl Deaf {}

#[projection(views = Row)]
struct NoImpl;

fn main() {}
