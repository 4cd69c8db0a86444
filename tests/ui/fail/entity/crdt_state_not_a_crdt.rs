use serde::{Deserialize, Serialize};
use statefn::crdt::GCounter;
use statefn::prelude::*;

#[entity(crdt)]
#[derive(Clone, Default, Serialize, Deserialize)]
struct Likes {
    count: GCounter,
}

#[entity]
impl Likes {
    #[command]
    fn like(&mut self, ctx: &mut Context<Self>) {
        self.count.increment(ctx.writer(), 1);
    }
}

fn main() {}
