use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
#[serde(untagged)]
enum CartEvent {
    Emptied,
}

fn main() {}
