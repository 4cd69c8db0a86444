use serde::{Deserialize, Serialize};
use statefn::prelude::*;

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

    #[query]
    fn take(&mut self) -> String {
        std::mem::take(&mut self.name)
    }
}

fn main() {}
