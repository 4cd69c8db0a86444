//! The functions that SQLite calls on an open file.

#![expect(unsafe_code, reason = "SQLite calls C functions")]

use std::ffi::{c_int, c_void};
use std::slice;
use std::sync::atomic::{Ordering, fence};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods};

use crate::disk::OpenFile;

/// What SQLite takes for its own type of a file.
#[repr(C)]
pub(super) struct SimulatedFile {
    base: sqlite3_file,
    /// Owned; SQLite moves these bytes about as it likes.
    opened: *mut OpenFile,
}

impl SimulatedFile {
    pub(super) fn new(opened: OpenFile) -> Self {
        Self {
            base: sqlite3_file {
                pMethods: &raw const METHODS,
            },
            opened: Box::into_raw(Box::new(opened)),
        }
    }
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    // No file is mapped: the backend switches that off too.
    xFetch: None,
    xUnfetch: None,
};

/// The file behind SQLite's pointer.
///
/// # Safety
///
/// `file` was opened by this VFS and is not closed; SQLite uses it on one thread at a time.
unsafe fn opened<'f>(file: *mut sqlite3_file) -> &'f mut OpenFile {
    // SAFETY: by the contract of this function; `opened` came from a box that `close` frees.
    unsafe { &mut *(*file.cast::<SimulatedFile>()).opened }
}

fn position(at: sqlite3_int64) -> usize {
    usize::try_from(at).expect("SQLite asks for no negative position")
}

fn length(bytes: c_int) -> usize {
    usize::try_from(bytes).expect("SQLite asks for no negative length")
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let file = file.cast::<SimulatedFile>();
    // SAFETY: SQLite closes a file once; `opened` came from a box.
    drop(unsafe { Box::from_raw((*file).opened) });
    // SAFETY: as above.
    unsafe { (*file).base.pMethods = std::ptr::null() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    buffer: *mut c_void,
    bytes: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes a buffer of that length; zeros come first, so it is initialized.
    let buffer = unsafe {
        std::ptr::write_bytes(buffer.cast::<u8>(), 0, length(bytes));
        slice::from_raw_parts_mut(buffer.cast::<u8>(), length(bytes))
    };
    // SAFETY: SQLite passes a file that it has open.
    unsafe { opened(file) }.read(buffer, position(at))
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    data: *const c_void,
    bytes: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes that many bytes.
    let data = unsafe { slice::from_raw_parts(data.cast::<u8>(), length(bytes)) };
    // SAFETY: SQLite passes a file that it has open.
    unsafe { opened(file) }.write(data, position(at))
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    unsafe { opened(file) }.truncate(position(size))
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    unsafe { opened(file) }.sync()
}

unsafe extern "C" fn size(file: *mut sqlite3_file, out: *mut sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    match unsafe { opened(file) }.size() {
        Ok(size) => {
            let size = sqlite3_int64::try_from(size).expect("memory is smaller");
            // SAFETY: SQLite passes a place for the answer.
            unsafe { *out = size };
            ffi::SQLITE_OK
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    unsafe { opened(file) }.raise(level)
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    unsafe { opened(file) }.lower(level);
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    match unsafe { opened(file) }.is_reserved() {
        Ok(reserved) => {
            // SAFETY: SQLite passes a place for the answer.
            unsafe { *out = c_int::from(reserved) };
            ffi::SQLITE_OK
        }
        Err(code) => code,
    }
}

/// Says that no file is mapped into memory. Other requests are not known: SQLite then does what it
/// does for any file.
unsafe extern "C" fn control(_: *mut sqlite3_file, request: c_int, argument: *mut c_void) -> c_int {
    if request != ffi::SQLITE_FCNTL_MMAP_SIZE {
        return ffi::SQLITE_NOTFOUND;
    }
    // SAFETY: with this request comes a place for a size.
    unsafe { *argument.cast::<sqlite3_int64>() = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    if unsafe { opened(file) }.is_powersafe() {
        4096
    } else {
        512
    }
}

unsafe extern "C" fn characteristics(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    if unsafe { opened(file) }.is_powersafe() {
        ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
    } else {
        0
    }
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    bytes: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    let mapped = unsafe { opened(file) }.shm_map(length(region), length(bytes), extend != 0);
    let (address, code) = match mapped {
        Ok(address) => (address, ffi::SQLITE_OK),
        Err(code) => (super::nowhere(), code),
    };
    // SAFETY: SQLite passes a place for the answer.
    unsafe { *out = address };
    code
}

unsafe extern "C" fn shm_lock(
    file: *mut sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    unsafe { opened(file) }.shm_lock(length(first), length(count), flags)
}

unsafe extern "C" fn shm_barrier(_: *mut sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    unsafe { opened(file) }.shm_unmap();
    ffi::SQLITE_OK
}
