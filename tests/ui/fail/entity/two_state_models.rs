use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[entity(event_sourced, crud)]
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
