use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
#[event = "added"]
struct Added;

fn main() {}
