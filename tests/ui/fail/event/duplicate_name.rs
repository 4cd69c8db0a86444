use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
enum CartEvent {
    Emptied,
    #[event(name = "Emptied")]
    Cleared,
}

fn main() {}
