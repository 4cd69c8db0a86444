use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
#[event(name = "a", name = "b")]
struct Emptied;

fn main() {}
