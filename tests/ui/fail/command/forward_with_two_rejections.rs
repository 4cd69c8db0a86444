use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[entity(crud)]
#[derive(Clone, Default, Serialize, Deserialize)]
struct Clerk {
    total: i64,
}

#[entity]
impl Clerk {
    #[command]
    fn take(&mut self, amount: i64) -> Result<i64, String> {
        self.total += amount;
        Ok(self.total)
    }

    #[query]
    fn total(&self) -> i64 {
        self.total
    }
}

#[entity(crud)]
#[derive(Clone, Default, Serialize, Deserialize)]
struct Desk;

#[entity]
impl Desk {
    #[command]
    fn hand_on(&mut self, ctx: &mut Context<Self>) -> Result<Forward<i64, String>, u8> {
        Ok(ctx.forward(ctx.entity::<Clerk>("ann").take(1)))
    }
}

fn main() {}
