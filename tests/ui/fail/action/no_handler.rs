use statefn::prelude::*;

struct Bank;

#[action]
impl Bank {
    async fn transfer(&self, _amount: u64) {}
}

fn main() {}
