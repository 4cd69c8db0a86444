use statefn::prelude::*;

struct Bank;

#[action(path = "/bank")]
impl Bank {
    async fn transfer(&self, _ctx: &ActionContext) {}
}

fn main() {}
