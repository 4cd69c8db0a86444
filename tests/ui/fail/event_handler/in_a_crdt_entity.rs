use serde::{Deserialize, Serialize};
use statefn::crdt::{Crdt, GCounter};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
struct Liked;

#[entity(crdt)]
#[derive(Clone, Default, Crdt, Serialize, Deserialize)]
struct Likes {
    count: GCounter,
}

#[entity]
impl Likes {
    #[command]
    fn like(&mut self, ctx: &mut Context<Self>) {
        self.count.increment(ctx.writer(), 1);
    }

    #[event_handler]
    fn liked(&mut self, _event: &Liked) {}
}

fn main() {}
