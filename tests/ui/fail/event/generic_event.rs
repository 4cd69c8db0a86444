use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
struct Added<T>(T);

#[derive(Event, Serialize, Deserialize)]
enum CartEvent<'a> {
    Added(&'a str),
}

fn main() {}
