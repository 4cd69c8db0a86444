use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[entity(crud, version = 0)]
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
