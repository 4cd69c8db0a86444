use statefn::prelude::*;

struct Bank;

#[action]
impl Bank {
    async fn transfer<T>(&self, _ctx: &ActionContext, _amount: T) {}
}

fn main() {}
