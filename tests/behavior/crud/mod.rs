//! Entities whose state is stored whole: the promises hold for them as for event-sourced ones, and a
//! command that fails leaves nothing behind.

mod deleted;
mod gated;
mod note;
mod purged;
mod rolled_back;

use statefn::Builder;
use statefn::store::{Entry, EntryBody, Offset, Store};

use crate::kit::World;
use note::Note;

/// A world of notes.
async fn world() -> World {
    World::build(Builder::only::<(Note,)>).await
}

/// The kinds of entry in a world's journal, a letter each.
async fn kinds(world: &World) -> String {
    let entries = world.store.read(Offset::new(1), 1_000).await.unwrap();
    entries.iter().map(kind).collect()
}

fn kind(entry: &Entry) -> &'static str {
    match (&entry.body, entry.body.record().is_some()) {
        (EntryBody::State { .. }, false) => "s",
        (EntryBody::State { .. }, true) => "S",
        (EntryBody::Deleted { .. }, false) => "d",
        (EntryBody::Deleted { .. }, true) => "D",
        (EntryBody::Event { .. }, false) => "e",
        (EntryBody::Event { .. }, true) => "E",
        (EntryBody::Record(_), _) => "r",
        (EntryBody::Skip { .. }, _) => "x",
        (EntryBody::Erased { .. }, false) => "_",
        (EntryBody::Erased { .. }, true) => "R",
        _ => "?",
    }
}
