//! Shared memory of a write-ahead log, on the heap: several connections of one process.

use std::ffi::c_void;
use std::sync::atomic::AtomicU64;

use rusqlite::ffi;

const SLOTS: usize = 8;

/// The index of one log, for as long as a connection uses it. As with the file that SQLite maps
/// on a real disk, whoever comes first after all have gone finds zeros.
#[derive(Debug, Default)]
pub(super) struct Shm {
    /// Atomics, because C code of several threads works in there.
    regions: Vec<Box<[AtomicU64]>>,
    slots: [Slot; SLOTS],
    users: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    shared: u32,
    exclusive: bool,
}

/// What one connection has of it.
#[derive(Debug, Default)]
pub(super) struct Mapped {
    attached: bool,
    shared: u8,
    exclusive: u8,
}

impl Shm {
    /// The address of a region; null if it is not there and shall not be made.
    pub(super) fn map(
        &mut self,
        mapped: &mut Mapped,
        region: usize,
        bytes: usize,
        extend: bool,
    ) -> *mut c_void {
        if !mapped.attached {
            mapped.attached = true;
            self.users += 1;
        }
        if region >= self.regions.len() && !extend {
            return std::ptr::null_mut();
        }
        while self.regions.len() <= region {
            let words = (0..bytes.div_ceil(8)).map(|_| AtomicU64::new(0));
            self.regions.push(words.collect());
        }
        self.regions[region].as_ptr().cast_mut().cast()
    }

    /// Takes or gives back slots.
    pub(super) fn lock(
        &mut self,
        mapped: &mut Mapped,
        first: usize,
        count: usize,
        flags: i32,
    ) -> i32 {
        let mask = (first..first + count).fold(0, |mask, slot| mask | 1_u8 << slot);
        let slots = &mut self.slots[first..first + count];
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            if flags & ffi::SQLITE_SHM_SHARED != 0 && mapped.shared & mask != 0 {
                mapped.shared &= !mask;
                for slot in slots {
                    slot.shared -= 1;
                }
            } else if flags & ffi::SQLITE_SHM_EXCLUSIVE != 0 && mapped.exclusive & mask != 0 {
                mapped.exclusive &= !mask;
                for slot in slots {
                    slot.exclusive = false;
                }
            }
        } else if flags & ffi::SQLITE_SHM_SHARED != 0 {
            if mapped.shared & mask != 0 {
                return ffi::SQLITE_OK;
            }
            if slots.iter().any(|slot| slot.exclusive) {
                return ffi::SQLITE_BUSY;
            }
            mapped.shared |= mask;
            for slot in slots {
                slot.shared += 1;
            }
        } else {
            if slots.iter().any(|slot| slot.exclusive || slot.shared > 0) {
                return ffi::SQLITE_BUSY;
            }
            mapped.exclusive |= mask;
            for slot in slots {
                slot.exclusive = true;
            }
        }
        ffi::SQLITE_OK
    }

    /// A connection has done with it.
    pub(super) fn unmap(&mut self, mapped: &mut Mapped) {
        if !std::mem::take(&mut mapped.attached) {
            return;
        }
        for slot in 0..SLOTS {
            if mapped.shared & 1 << slot != 0 {
                self.slots[slot].shared -= 1;
            }
            if mapped.exclusive & 1 << slot != 0 {
                self.slots[slot].exclusive = false;
            }
        }
        *mapped = Mapped::default();
        self.users -= 1;
        if self.users == 0 {
            self.regions.clear();
        }
    }
}
