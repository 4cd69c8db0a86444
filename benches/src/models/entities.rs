//! One entity of each way: what a command stores has 64 bytes.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

/// Text was written.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(super) struct Written {
    text: String,
}

/// Keeps its last text by events, and passes text on.
#[entity(event_sourced, name = "journal")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Journal {
    text: String,
}

#[entity]
impl Journal {
    /// Writes.
    #[command]
    fn write(&self, ctx: &mut Context<Self>, text: String) {
        ctx.emit(Written { text });
    }

    /// Writes here and there, and answers when both have.
    #[command]
    fn write_both(&self, ctx: &mut Context<Self>, there: String, text: String) {
        ctx.effect_sync(ctx.entity::<Self>(there).write(text.clone()));
        ctx.emit(Written { text });
    }

    #[event_handler]
    fn apply(&mut self, event: &Written) {
        self.text.clone_from(&event.text);
    }
}

/// Keeps its last text whole.
#[entity(crud, name = "note")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Note {
    text: String,
}

#[entity]
impl Note {
    /// Writes.
    #[command]
    fn write(&mut self, text: String) {
        self.text = text;
    }
}
