use statefn::prelude::*;

struct Bank;

#[action]
impl Bank {
    fn transfer(&self, _ctx: &ActionContext, _amount: u64) -> u64 {
        0
    }
}

fn main() {}
