//! Everything that was asked of a disk, in order: from this, any moment can be rebuilt.

use std::sync::Arc;

/// A file of a trace. Files of the first image come first, in the order of their names.
pub type FileId = usize;

/// One change, or one promise, of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A name was given to a new file.
    Create {
        /// The file.
        file: FileId,
        /// Its name.
        name: String,
    },
    /// Bytes were written.
    Write {
        /// The file.
        file: FileId,
        /// Where.
        at: usize,
        /// What.
        data: Arc<[u8]>,
    },
    /// The file was cut or extended.
    Truncate {
        /// The file.
        file: FileId,
        /// Its new length.
        length: usize,
    },
    /// A sync succeeded.
    Sync {
        /// The file.
        file: FileId,
        /// Whether the folder was synced with it.
        folder: bool,
    },
    /// A sync failed: nothing is promised.
    FailedSync {
        /// The file.
        file: FileId,
    },
    /// A name was removed.
    Delete {
        /// The name.
        name: String,
        /// Whether the folder was synced with it.
        synced: bool,
    },
}
