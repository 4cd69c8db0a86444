use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
enum CartEvent {
    #[event(vesion = 2)]
    Emptied,
}

fn main() {}
