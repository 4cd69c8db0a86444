use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
struct Renamed {
    name: String,
}

#[entity(event_sourced, version = 2)]
#[derive(Default, Serialize, Deserialize)]
struct Profile {
    name: String,
}

#[entity]
impl Profile {
    #[event_handler]
    fn renamed(&mut self, event: &Renamed) {
        self.name.clone_from(&event.name);
    }
}

fn main() {}
