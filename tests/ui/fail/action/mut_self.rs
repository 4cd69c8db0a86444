use statefn::prelude::*;

struct Bank;

#[action]
impl Bank {
    async fn transfer(&mut self, _ctx: &ActionContext) {}
}

fn main() {}
