use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[view]
#[derive(Serialize, Deserialize)]
struct Sold {
    sku: String,
    #[index]
    quantity: i64,
}

fn main() {}
