use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[view]
#[derive(Serialize, Deserialize)]
struct Sold {
    #[key]
    sku: String,
}

async fn read(runtime: Runtime) {
    let _ = runtime.view::<Sold>().get("p1").await;
}

fn main() {}
