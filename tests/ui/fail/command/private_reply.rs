use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Event, Serialize, Deserialize)]
pub enum CartEvent {
    Emptied,
}

#[entity(event_sourced)]
#[derive(Default, Serialize, Deserialize)]
pub struct Cart {
    items: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Receipt;

#[derive(Serialize, Deserialize)]
struct Refused;

#[entity]
impl Cart {
    #[command]
    fn check_out(&self) -> Result<Receipt, Refused> {
        Ok(Receipt)
    }

    #[query]
    fn receipt(&self) -> Receipt {
        Receipt
    }

    #[event_handler]
    fn apply(&mut self, _event: &CartEvent) {
        self.items.clear();
    }
}

fn main() {}
