use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
#[event(name = "Added")]
struct AddedV1(String);

#[derive(Event, Serialize, Deserialize)]
#[event(version = 2, from = AddedV1)]
struct Added(String, u32);

fn main() {}
