//! The bar on the terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How many lines pass before the bar is told.
const EVERY: u64 = 64;

/// A progress bar on stderr; nothing at all where stderr is no terminal.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// `bytes`: how much there is to read, if that is known.
    pub(super) fn new(bytes: Option<u64>) -> Self {
        let (bar, template) = match bytes {
            Some(bytes) => (
                ProgressBar::new(bytes),
                "{bar:40} {percent:>3} %  {msg} lines  {eta} left",
            ),
            None => (
                ProgressBar::new_spinner(),
                "{spinner} {msg} lines  {elapsed}",
            ),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    /// For whoever wants no bar.
    pub(super) fn hidden() -> Self {
        Self {
            bar: ProgressBar::hidden(),
        }
    }

    /// The input has been read up to this line and byte.
    pub(super) fn position(&self, line: u64, bytes: u64) {
        if line.is_multiple_of(EVERY) && !self.bar.is_hidden() {
            self.bar.set_message(line.to_string());
            self.bar.set_position(bytes);
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
