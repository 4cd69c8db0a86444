use statefn::prelude::*;

struct Bank;

#[action]
impl Bank {
    async fn transfer(&self, _ctx: &ActionContext, _from: Items<u64>, _to: Items<u64>) {}
}

fn main() {}
