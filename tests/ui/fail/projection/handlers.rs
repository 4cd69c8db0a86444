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
    fn alone(&self, _: &Sold) {}

    #[event_handler]
    fn changes(&mut self, _: &Sold, _: &Envelope<Shop>, _: &mut Views<Self>) {}

    #[event_handler]
    async fn waits(&self, _: &Sold, _: &Envelope<Shop>, _: &mut Views<Self>) {}

    #[event_handler]
    fn takes(&self, _: Sold, _: &Envelope<Shop>, _: &mut Views<Self>) {}

    #[event_handler]
    fn from_nowhere(&self, _: &Sold, _: &Shop, _: &mut Views<Self>) {}

    #[event_handler]
    fn only_reads(&self, _: &Sold, _: &Envelope<Shop>, _: &Views<Self>) {}

    #[event_handler]
    fn once(&self, _: &Sold, _: &Envelope<Shop>, _: &mut Views<Self>) {}

    #[event_handler]
    fn twice(&self, _: &Sold, _: &Envelope<Shop>, _: &mut Views<Self>) {}

    #[removal_handler(soft)]
    fn gone(&self, _: &Envelope<Shop>, _: &mut Views<Self>) {}
}

fn main() {}
