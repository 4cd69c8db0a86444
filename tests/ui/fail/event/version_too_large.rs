use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
#[event(version = 4294967296)]
struct Added(String);

fn main() {}
