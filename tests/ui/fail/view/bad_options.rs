use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[view(name = "so ld", codec = "xml", sorted)]
#[derive(Serialize, Deserialize)]
struct Sold {
    #[key(first)]
    sku: String,
    #[index]
    #[index]
    quantity: i64,
}

#[view]
#[derive(Serialize, Deserialize)]
enum Either {
    Left,
    Right,
}

#[view]
#[derive(Serialize, Deserialize)]
struct Pair(String, i64);

#[view]
#[derive(Serialize, Deserialize)]
struct Generic<T> {
    #[key]
    key: T,
}

fn main() {}
