use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
struct Renamed {
    name: String,
}

#[entity(crud)]
#[derive(Clone, Default, Serialize, Deserialize)]
struct Profile {
    name: String,
}

#[entity]
impl Profile {
    #[command]
    fn rename(&mut self, name: String) {
        self.name = name;
    }

    #[command]
    fn tell(&mut self, ctx: &mut Context<Self>) {
        ctx.emit(Renamed { name: self.name.clone() });
    }
}

fn main() {}
