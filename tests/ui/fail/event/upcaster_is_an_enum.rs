use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
enum AddedV1 {
    Added,
}

impl From<AddedV1> for Added {
    fn from(_: AddedV1) -> Self {
        Self(String::new(), 1)
    }
}

#[derive(Event, Serialize, Deserialize)]
#[event(version = 2, from = AddedV1)]
struct Added(String, u32);

fn main() {}
