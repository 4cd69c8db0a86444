//! A note that is stored whole.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[error("a note has at most {max} lines")]
pub(crate) struct Full {
    pub(crate) max: usize,
}

#[entity(crud, name = "note", passivate_after = "1s")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Note {
    lines: Vec<String>,
}

#[entity]
impl Note {
    /// Adds a line, and finds out too late that it is one too many.
    #[command]
    fn add(&mut self, line: String) -> Result<usize, Full> {
        self.lines.push(line);
        if self.lines.len() > 3 {
            return Err(Full { max: 3 });
        }
        Ok(self.lines.len())
    }

    /// Adds a line and does not survive it.
    #[command]
    fn add_and_panic(&mut self, line: String) {
        self.lines.push(line);
        panic!("planned");
    }

    /// Changes something and changes it back.
    #[command]
    fn fidget(&mut self) -> usize {
        self.lines.push("x".to_owned());
        self.lines.pop();
        self.lines.len()
    }

    #[command]
    fn number(&mut self, ctx: &mut Context<Self>) -> Then<Self, (u64, usize)> {
        let number = ctx.sequence().get();
        self.lines.push(format!("{number}"));
        ctx.then(move |note| (number, note.lines.len()))
    }

    /// Deletes the note, whatever it does to it besides.
    #[command]
    fn tear(&mut self, ctx: &mut Context<Self>) -> (Vec<String>, u64) {
        ctx.delete();
        (std::mem::take(&mut self.lines), ctx.sequence().get())
    }

    /// Changes its mind.
    #[command]
    fn hesitate(&mut self, ctx: &mut Context<Self>) {
        ctx.delete();
        self.lines.push("kept".to_owned());
        ctx.keep();
    }

    /// Wants to be gone, and fails.
    #[command]
    fn fail_to_tear(&mut self, ctx: &mut Context<Self>) -> Result<(), Full> {
        ctx.delete();
        self.lines.clear();
        Err(Full { max: 0 })
    }

    #[query]
    fn lines(&self) -> Vec<String> {
        self.lines.clone()
    }
}
