//! How much gathers before the file is worked on: a simulated disk makes it small, so that a
//! hundred commits meet what a store meets in a million.

use std::time::Duration;

use super::limits;

/// Sizes and times of one open store. Everybody has the default; see
/// [`open_tuned`](super::Sqlite::open_tuned).
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Entities gathered before a merge begins.
    pub gathered_entities: usize,
    /// Entries behind the watermark before a merge begins.
    pub gathered_entries: u64,
    /// Heads merged in a transaction beyond two for each entry.
    pub merge_step: usize,
    /// Pages in the log at which it is moved into the database.
    pub checkpoint_pages: u64,
    /// Commits between two looks at the length of the log.
    pub look_every: u32,
    /// How long a move of the log waits for readers that began before it.
    pub reader_wait: Duration,
    /// Without work for this long, the writer empties the log.
    pub idle: Duration,
    /// First and longest wait between attempts to reopen a failed database.
    pub reopen_wait: (Duration, Duration),
    /// Threads that read.
    pub readers: usize,
    /// Entries that a load reads on its caller's thread before the rest goes to one of those.
    pub entries_at_once: u64,
    /// Entries that one transaction erases.
    pub erased_at_once: usize,
    /// A load that takes longer than this on its caller's thread had to wait for the disk, and sends
    /// some of those after it to the threads.
    pub slow_load: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            gathered_entities: limits::GATHERED_ENTITIES,
            gathered_entries: limits::GATHERED_ENTRIES,
            merge_step: limits::MERGE_STEP,
            checkpoint_pages: limits::CHECKPOINT_PAGES,
            look_every: limits::LOOK_EVERY,
            reader_wait: limits::READER_WAIT,
            idle: limits::IDLE,
            reopen_wait: limits::REOPEN_WAIT,
            readers: limits::READERS,
            entries_at_once: limits::ENTRIES_AT_ONCE,
            erased_at_once: limits::ERASED_AT_ONCE,
            slow_load: limits::SLOW_LOAD,
        }
    }
}
