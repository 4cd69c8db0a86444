use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
enum CartEvent {
    #[event(name, version =, from)]
    Emptied,
}

fn main() {}
