use statefn::prelude::*;

struct Bank;

#[action]
impl Bank {
    async fn transfer(&self, _ctx: &ActionContext, _to: &str) {}
}

fn main() {}
