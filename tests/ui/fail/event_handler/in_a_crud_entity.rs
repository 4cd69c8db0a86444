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

    #[event_handler]
    fn renamed(&mut self, event: &Renamed) {
        self.name.clone_from(&event.name);
    }
}

fn main() {}
