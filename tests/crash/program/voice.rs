//! The pipe to the parent.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

use crate::crash::report::Report;

/// Writes each report with one write, unbuffered: whatever was said is said, also if the process
/// dies at the next instruction.
pub(super) struct Voice(Mutex<File>);

impl Voice {
    pub(super) fn new() -> std::io::Result<Self> {
        let pipe = std::io::stdout().as_fd().try_clone_to_owned()?;
        Ok(Self(Mutex::new(File::from(pipe))))
    }

    pub(super) fn say(&self, report: &Report) {
        let mut line = serde_json::to_vec(report).unwrap_or_default();
        line.push(b'\n');
        let mut pipe = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pipe.write_all(&line).is_err() {
            // Nobody listens: the parent is dead.
            std::process::exit(3);
        }
    }
}
