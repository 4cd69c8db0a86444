use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
enum CartEvent {
    Added {
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
        #[serde(skip)]
        price: u64,
    },
}

fn main() {}
