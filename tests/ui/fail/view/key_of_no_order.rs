use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Serialize, Deserialize)]
struct Sku(String);

#[view]
#[derive(Serialize, Deserialize)]
struct Sold {
    #[key]
    sku: Sku,
    #[index]
    prices: std::collections::HashMap<String, i64>,
}

fn main() {}
