use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
#[event(name = "profile")]
struct ProfileV1 {
    name: String,
}

#[entity(crud, version = 2, from = ProfileV1)]
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
}

fn main() {}
