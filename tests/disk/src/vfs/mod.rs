//! What SQLite calls for files: the process's default, which sends paths of a
//! [`mount`] to their disk and all others to the operating system.

#![expect(unsafe_code, reason = "SQLite calls C functions")]

mod file;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr::{null_mut, write_bytes};
use std::sync::Once;
use std::sync::atomic::{AtomicI64, AtomicPtr, AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::ffi::{self, sqlite3_file, sqlite3_vfs};

use crate::mount;
use crate::random::mix;
use file::SimulatedFile;

/// The VFS that was the default before.
static REAL: AtomicPtr<sqlite3_vfs> = AtomicPtr::new(null_mut());

/// Milliseconds of the Julian calendar; a moment of 2024.
static NOW: AtomicI64 = AtomicI64::new(212_577_000_000_000);

/// State of the random numbers that SQLite asks for.
static RANDOM: AtomicU64 = AtomicU64::new(0);

/// Makes this the default VFS of the process.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // SAFETY: a null name asks for the default VFS, which lives as long as the process.
        let real = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        assert!(!real.is_null(), "SQLite has no VFS");
        REAL.store(real, Ordering::Release);
        // SAFETY: `real` is a registered VFS.
        let real_file = unsafe { (*real).szOsFile };
        let own_file = c_int::try_from(size_of::<SimulatedFile>()).expect("a small type");
        let vfs = Box::leak(Box::new(sqlite3_vfs {
            iVersion: 2,
            szOsFile: own_file.max(real_file),
            mxPathname: 1024,
            pNext: null_mut(),
            zName: c"simulated".as_ptr(),
            pAppData: null_mut(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: Some(current_time),
            xGetLastError: Some(get_last_error),
            xCurrentTimeInt64: Some(current_time_int64),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        // SAFETY: `vfs` is complete and lives as long as the process.
        let code = unsafe { ffi::sqlite3_vfs_register(vfs, 1) };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite takes no VFS");
    });
}

/// Begins SQLite's random numbers (salts of the log) anew, from a seed. They belong to the whole
/// process: threads that run beside each other take them from each other.
pub fn seed_randomness(seed: u64) {
    install();
    RANDOM.store(mix(seed), Ordering::Relaxed);
    // SAFETY: no bytes are asked for; this resets the generator.
    unsafe { ffi::sqlite3_randomness(0, null_mut()) };
}

fn real() -> *mut sqlite3_vfs {
    REAL.load(Ordering::Acquire)
}

/// The text of a path.
///
/// # Safety
///
/// `path` is null or ends with a zero byte, and lives as long as the text is used.
unsafe fn text<'p>(path: *const c_char) -> Option<&'p str> {
    if path.is_null() {
        return None;
    }
    // SAFETY: by the contract of this function.
    unsafe { CStr::from_ptr(path) }.to_str().ok()
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes a path or null.
    let found = unsafe { text(name) }.and_then(mount::find);
    let Some((disk, name)) = found else {
        // SAFETY: `real` is a VFS, and `file` has room for its files too: see `szOsFile`.
        return unsafe {
            let open = (*real()).xOpen.expect("every VFS opens files");
            open(real(), name, file, flags, out_flags)
        };
    };
    match disk.open(name, flags) {
        Ok(opened) => {
            let opened = SimulatedFile::new(opened);
            // SAFETY: `file` is uninitialized memory of at least `szOsFile` bytes for this file.
            unsafe {
                file.cast::<MaybeUninit<SimulatedFile>>()
                    .write(MaybeUninit::new(opened));
            };
            if !out_flags.is_null() {
                // SAFETY: SQLite passes a place for the flags, or null.
                unsafe { *out_flags = flags };
            }
            ffi::SQLITE_OK
        }
        Err(code) => {
            // SAFETY: as above; without methods SQLite does not close the file.
            unsafe { (*file).pMethods = std::ptr::null() };
            code
        }
    }
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite passes a path.
    let found = unsafe { text(name) }.and_then(mount::find);
    let Some((disk, name)) = found else {
        // SAFETY: `real` is a VFS.
        return unsafe {
            let delete = (*real()).xDelete.expect("every VFS deletes files");
            delete(real(), name, sync)
        };
    };
    disk.delete(name, sync != 0).err().unwrap_or(ffi::SQLITE_OK)
}

unsafe extern "C" fn access(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes a path.
    let found = unsafe { text(name) }.and_then(mount::find);
    let Some((disk, name)) = found else {
        // SAFETY: `real` is a VFS.
        return unsafe {
            let access = (*real()).xAccess.expect("every VFS looks for files");
            access(real(), name, flags, out)
        };
    };
    match disk.exists(name) {
        Ok(exists) => {
            // SAFETY: SQLite passes a place for the answer.
            unsafe { *out = c_int::from(exists) };
            ffi::SQLITE_OK
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn full_pathname(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    length: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite passes a path.
    let found = unsafe { text(name) }.filter(|path| mount::find(path).is_some());
    let Some(path) = found else {
        // SAFETY: `real` is a VFS.
        return unsafe {
            let full = (*real()).xFullPathname.expect("every VFS knows full paths");
            full(real(), name, length, out)
        };
    };
    // A mounted path is absolute already.
    if usize::try_from(length).unwrap_or(0) <= path.len() {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: `out` has room for `length` bytes, more than the path and its zero byte.
    unsafe { out.copy_from_nonoverlapping(name, path.len() + 1) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(_: *mut sqlite3_vfs, length: c_int, out: *mut c_char) -> c_int {
    for at in 0..usize::try_from(length).unwrap_or(0) {
        let [byte, ..] = mix(RANDOM.fetch_add(1, Ordering::Relaxed)).to_le_bytes();
        // SAFETY: `out` has room for `length` bytes.
        unsafe { out.cast::<u8>().add(at).write(byte) };
    }
    length
}

/// Passes little time: whoever sleeps waits for another thread, which needs no longer than this.
unsafe extern "C" fn sleep(_: *mut sqlite3_vfs, micros: c_int) -> c_int {
    std::thread::park_timeout(Duration::from_micros(50));
    micros
}

unsafe extern "C" fn current_time_int64(
    _: *mut sqlite3_vfs,
    out: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes a place for the answer.
    unsafe { *out = NOW.fetch_add(1, Ordering::Relaxed) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn current_time(_: *mut sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: SQLite passes a place for the answer.
    unsafe { *out = 2_460_385.5 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn get_last_error(_: *mut sqlite3_vfs, length: c_int, out: *mut c_char) -> c_int {
    if !out.is_null() && length > 0 {
        // SAFETY: `out` has room for `length` bytes.
        unsafe { write_bytes(out, 0, 1) };
    }
    0
}

/// A null result of a function that hands out memory.
fn nowhere() -> *mut c_void {
    null_mut()
}
