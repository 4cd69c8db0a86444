use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
#[event(name = "Added")]
struct AddedV1(String);

impl From<AddedV1> for Added {
    fn from(old: AddedV1) -> Self {
        Self(old.0, 1)
    }
}

#[derive(Event, Serialize, Deserialize)]
#[event(from = AddedV1)]
struct Added(String, u32);

fn main() {}
