//! The locks of a database file, between the connections of one process.

use rusqlite::ffi;

/// Who holds what in one file.
#[derive(Debug, Default)]
pub(super) struct Locks {
    shared: u32,
    reserved: Option<u64>,
    /// Asked for by somebody who waits for readers to leave, or held: nobody comes in any more.
    pending: Option<u64>,
}

/// What one connection holds.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) owner: u64,
    pub(super) level: i32,
}

impl Locks {
    /// Raises a lock.
    pub(super) fn raise(&mut self, held: &mut Held, level: i32, writable: bool) -> i32 {
        let me = held.owner;
        let taken = |by: Option<u64>| by.is_some_and(|owner| owner != me);
        if held.level >= level {
            return ffi::SQLITE_OK;
        }
        if level > ffi::SQLITE_LOCK_SHARED && !writable {
            // As the operating system answers for a file that was opened for reading.
            return ffi::SQLITE_IOERR_LOCK;
        }
        match level {
            ffi::SQLITE_LOCK_SHARED => {
                if self.pending.is_some() {
                    return ffi::SQLITE_BUSY;
                }
                self.shared += 1;
            }
            ffi::SQLITE_LOCK_RESERVED => {
                if taken(self.reserved) {
                    return ffi::SQLITE_BUSY;
                }
                self.reserved = Some(me);
            }
            _ => {
                if taken(self.reserved) || taken(self.pending) {
                    return ffi::SQLITE_BUSY;
                }
                self.pending = Some(me);
                if self.shared > 1 {
                    held.level = ffi::SQLITE_LOCK_PENDING;
                    return ffi::SQLITE_BUSY;
                }
            }
        }
        held.level = level;
        ffi::SQLITE_OK
    }

    /// Lowers a lock to shared or to none.
    pub(super) fn lower(&mut self, held: &mut Held, level: i32) {
        if held.level <= level {
            return;
        }
        for slot in [&mut self.reserved, &mut self.pending] {
            if *slot == Some(held.owner) {
                *slot = None;
            }
        }
        if level == ffi::SQLITE_LOCK_NONE {
            self.shared -= 1;
        }
        held.level = level;
    }

    /// Whether somebody is about to write.
    pub(super) fn is_reserved(&self) -> bool {
        self.reserved.is_some() || self.pending.is_some()
    }
}
