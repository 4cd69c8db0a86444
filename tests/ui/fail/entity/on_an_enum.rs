use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[entity(event_sourced)]
#[derive(Default, Serialize, Deserialize)]
enum Light {
    #[default]
    Red,
}

fn main() {}
