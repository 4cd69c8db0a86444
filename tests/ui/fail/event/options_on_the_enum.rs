use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
#[event(name = "cart", version = 2)]
enum CartEvent {
    #[event(crate = statefn)]
    Emptied,
}

fn main() {}
