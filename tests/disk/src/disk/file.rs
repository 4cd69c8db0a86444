//! An open file of a simulated disk.

use std::ffi::c_void;
use std::sync::Arc;

use rusqlite::ffi;

use super::Disk;
use super::fault::{Call, Failure};
use super::locks::Held;
use super::shm::Mapped;
use crate::image;
use crate::trace::{FileId, Op};

/// The slot in shared memory whose exclusive lock begins a transaction that writes.
const WRITE_LOCK: usize = 0;

/// What SQLite holds between opening and closing a file.
#[derive(Debug)]
pub struct OpenFile {
    disk: Arc<Disk>,
    file: FileId,
    held: Held,
    mapped: Mapped,
    writable: bool,
    /// Whether the first sync also syncs the folder, as SQLite does for a new log.
    sync_folder: bool,
}

impl OpenFile {
    pub(super) fn new(disk: Arc<Disk>, file: FileId, owner: u64, flags: i32) -> Self {
        let log = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL;
        let level = ffi::SQLITE_LOCK_NONE;
        Self {
            disk,
            file,
            held: Held { owner, level },
            mapped: Mapped::default(),
            writable: flags & ffi::SQLITE_OPEN_READWRITE != 0,
            sync_folder: flags & log != 0 && flags & ffi::SQLITE_OPEN_CREATE != 0,
        }
    }

    pub(crate) fn is_powersafe(&self) -> bool {
        self.disk.powersafe
    }

    /// Fills as much of the buffer as the file has; the rest becomes zero.
    pub(crate) fn read(&self, buffer: &mut [u8], at: usize) -> i32 {
        let state = match self.disk.enter_or_fail(Call::Read) {
            Ok(state) => state,
            Err(code) => return code,
        };
        let bytes = &state.contents[self.file].bytes;
        let there = bytes.get(at..).unwrap_or_default();
        let count = there.len().min(buffer.len());
        let (filled, rest) = buffer.split_at_mut(count);
        filled.copy_from_slice(&there[..count]);
        if rest.is_empty() {
            return ffi::SQLITE_OK;
        }
        rest.fill(0);
        ffi::SQLITE_IOERR_SHORT_READ
    }

    pub(crate) fn write(&self, data: &[u8], at: usize) -> i32 {
        let (mut state, count, code) = match self.disk.enter(Call::Write) {
            Ok(mut state) => {
                let count = state.fits(self.file, at, data.len());
                let full = count < data.len();
                if full {
                    state.faults.found_no_space();
                }
                let code = if full {
                    ffi::SQLITE_FULL
                } else {
                    ffi::SQLITE_OK
                };
                (state, count, code)
            }
            Err((state, failure)) => {
                let nothing = failure == Failure::Write;
                let count = if nothing { 0 } else { data.len() / 2 };
                (state, count, failure.code())
            }
        };
        if count > 0 {
            image::write(&mut state.contents[self.file].bytes, at, &data[..count]);
            state.trace.push(Op::Write {
                file: self.file,
                at,
                data: data[..count].into(),
            });
        }
        code
    }

    pub(crate) fn truncate(&self, length: usize) -> i32 {
        let mut state = match self.disk.enter_or_fail(Call::Truncate) {
            Ok(state) => state,
            Err(code) => return code,
        };
        state.contents[self.file].bytes.resize(length, 0);
        let file = self.file;
        state.trace.push(Op::Truncate { file, length });
        self.disk.changed.notify_all();
        ffi::SQLITE_OK
    }

    pub(crate) fn sync(&mut self) -> i32 {
        let file = self.file;
        match self.disk.enter(Call::Sync) {
            Ok(mut state) => {
                let folder = std::mem::take(&mut self.sync_folder);
                state.trace.push(Op::Sync { file, folder });
                ffi::SQLITE_OK
            }
            Err((mut state, failure)) => {
                state.trace.push(Op::FailedSync { file });
                failure.code()
            }
        }
    }

    pub(crate) fn size(&self) -> Result<usize, i32> {
        let state = self.disk.enter_or_fail(Call::Size)?;
        Ok(state.contents[self.file].bytes.len())
    }

    pub(crate) fn raise(&mut self, level: i32) -> i32 {
        match self.disk.enter_or_fail(Call::Lock) {
            Ok(mut state) => {
                let locks = &mut state.contents[self.file].locks;
                locks.raise(&mut self.held, level, self.writable)
            }
            Err(code) => code,
        }
    }

    pub(crate) fn lower(&mut self, level: i32) {
        let mut state = self.disk.lock();
        state.contents[self.file].locks.lower(&mut self.held, level);
    }

    pub(crate) fn is_reserved(&self) -> Result<bool, i32> {
        let state = self.disk.enter_or_fail(Call::Lock)?;
        Ok(state.contents[self.file].locks.is_reserved())
    }

    pub(crate) fn shm_map(
        &mut self,
        region: usize,
        bytes: usize,
        extend: bool,
    ) -> Result<*mut c_void, i32> {
        let mut state = self.disk.enter_or_fail(Call::ShmMap)?;
        let shm = &mut state.contents[self.file].shm;
        Ok(shm.map(&mut self.mapped, region, bytes, extend))
    }

    pub(crate) fn shm_lock(&mut self, first: usize, count: usize, flags: i32) -> i32 {
        let begins = ffi::SQLITE_SHM_LOCK | ffi::SQLITE_SHM_EXCLUSIVE;
        if flags & begins == begins && first == WRITE_LOCK {
            self.disk.begin(self.file);
        }
        // Giving back does not fail.
        let entered = if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            Ok(self.disk.lock())
        } else {
            self.disk.enter_or_fail(Call::ShmLock)
        };
        match entered {
            Ok(mut state) => {
                let shm = &mut state.contents[self.file].shm;
                shm.lock(&mut self.mapped, first, count, flags)
            }
            Err(code) => code,
        }
    }

    pub(crate) fn shm_unmap(&mut self) {
        let mut state = self.disk.lock();
        state.contents[self.file].shm.unmap(&mut self.mapped);
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        self.shm_unmap();
        self.lower(ffi::SQLITE_LOCK_NONE);
    }
}
