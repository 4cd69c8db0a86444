//! A disk in memory: what is written to it, what it notes, when it fails.

mod fault;
mod file;
mod locks;
mod shm;

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use rusqlite::ffi;

use fault::Faults;
pub use fault::{Call, Failure, Plan};
pub use file::OpenFile;
use locks::Locks;
use shm::Shm;

use crate::image::Image;
use crate::trace::{FileId, Op};

/// One folder of files, in memory.
#[derive(Debug)]
pub struct Disk {
    state: Mutex<State>,
    changed: Condvar,
    /// Whether a write leaves bytes beside it alone, whatever happens meanwhile.
    powersafe: bool,
}

#[derive(Debug, Default)]
struct State {
    contents: Vec<Content>,
    names: BTreeMap<String, FileId>,
    trace: Vec<Op>,
    faults: Faults,
    capacity: Option<usize>,
    /// Transactions that write wait while this is set.
    held: bool,
    waiting: usize,
    opened: u64,
}

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    locks: Locks,
    shm: Shm,
}

impl Disk {
    /// A disk on which this is, durably.
    pub fn new(image: &Image, powersafe: bool) -> Arc<Self> {
        let mut state = State::default();
        for (name, bytes) in &image.files {
            let file = state.add(name);
            state.contents[file].bytes.clone_from(bytes);
        }
        Arc::new(Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            powersafe,
        })
    }

    /// Whether it declares that a write leaves bytes beside it alone.
    pub fn is_powersafe(&self) -> bool {
        self.powersafe
    }

    /// How many operations it has noted.
    pub fn noted(&self) -> usize {
        self.lock().trace.len()
    }

    /// Everything that was asked of it.
    pub fn trace(&self) -> Vec<Op> {
        self.lock().trace.clone()
    }

    /// What a reader of the running system sees in a file.
    pub(crate) fn content(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.lock();
        let file = state.names.get(name)?;
        Some(state.contents[*file].bytes.clone())
    }

    /// Makes it that large; `None` for as large as needed.
    pub fn set_capacity(&self, capacity: Option<usize>) {
        self.lock().capacity = capacity;
    }

    /// Plans a fault, or takes it back.
    pub fn plan(&self, plan: Option<Plan>) {
        self.lock().faults.plan(plan);
    }

    /// How often the plan has struck, or a write found no space.
    pub fn struck(&self) -> u64 {
        self.lock().faults.struck()
    }

    /// Lets no transaction that writes to the first file begin until [`go_on`](Self::go_on).
    pub fn hold(&self) {
        self.lock().held = true;
    }

    /// Lets them begin again.
    pub fn go_on(&self) {
        self.lock().held = false;
        self.changed.notify_all();
    }

    /// Waits until a transaction waits to begin, or until somebody who [`nudge`](Self::nudge)s says
    /// that none will.
    pub fn wait_for_waiting(&self, none_will: impl Fn() -> bool) {
        let state = self.lock();
        let state = self
            .changed
            .wait_while(state, |state| state.waiting == 0 && !none_will())
            .expect("no panic under the lock");
        drop(state);
    }

    /// Lets those who wait look again.
    pub fn nudge(&self) {
        drop(self.lock());
        self.changed.notify_all();
    }

    /// The point at which a transaction that writes begins.
    fn begin(&self, file: FileId) {
        let mut state = self.lock();
        while state.held && file == 0 {
            state.waiting += 1;
            self.changed.notify_all();
            state = self.changed.wait(state).expect("no panic under the lock");
            state.waiting -= 1;
        }
    }

    /// What the operating system does for a backup, which renames and syncs a finished copy behind
    /// SQLite's back.
    pub fn rename(&self, from: &str, to: &str) {
        let mut state = self.lock();
        if let Some(file) = state.names.remove(from) {
            state.names.insert(to.to_owned(), file);
        }
    }

    /// Removes a file that no longer matters, without a trace: a power cut may still find it.
    pub fn forget(&self, name: &str) {
        self.lock().names.remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic under the lock")
    }

    /// Begins an operation, or fails it if that is planned.
    fn enter(&self, call: Call) -> Result<MutexGuard<'_, State>, (MutexGuard<'_, State>, Failure)> {
        let mut state = self.lock();
        match state.faults.strike(call) {
            None => Ok(state),
            Some(failure) => Err((state, failure)),
        }
    }

    fn enter_or_fail(&self, call: Call) -> Result<MutexGuard<'_, State>, i32> {
        self.enter(call).map_err(|(_, failure)| failure.code())
    }

    /// Opens a file, which is made if it may be.
    pub(crate) fn open(self: &Arc<Self>, name: &str, flags: i32) -> Result<OpenFile, i32> {
        let mut state = self.enter_or_fail(Call::Open)?;
        let create = flags & ffi::SQLITE_OPEN_CREATE != 0;
        let file = match state.names.get(name) {
            Some(file) => *file,
            // The backend makes the database file with the operating system, before SQLite
            // opens it; here it begins with the first look at it.
            None if create || flags & ffi::SQLITE_OPEN_MAIN_DB != 0 => {
                let file = state.add(name);
                state.trace.push(Op::Create {
                    file,
                    name: name.to_owned(),
                });
                if !create {
                    state.trace.push(Op::Sync { file, folder: true });
                }
                file
            }
            None => return Err(ffi::SQLITE_CANTOPEN),
        };
        state.opened += 1;
        let owner = state.opened;
        drop(state);
        Ok(OpenFile::new(Arc::clone(self), file, owner, flags))
    }

    /// Removes a name.
    pub(crate) fn delete(&self, name: &str, synced: bool) -> Result<(), i32> {
        let mut state = self.enter_or_fail(Call::Delete)?;
        if state.names.remove(name).is_none() {
            return Err(ffi::SQLITE_IOERR_DELETE_NOENT);
        }
        let name = name.to_owned();
        state.trace.push(Op::Delete { name, synced });
        Ok(())
    }

    /// Whether there is such a file with something in it.
    pub(crate) fn exists(&self, name: &str) -> Result<bool, i32> {
        let state = self.enter_or_fail(Call::Access)?;
        let file = state.names.get(name);
        Ok(file.is_some_and(|file| !state.contents[*file].bytes.is_empty()))
    }
}

impl State {
    fn add(&mut self, name: &str) -> FileId {
        self.contents.push(Content::default());
        let file = self.contents.len() - 1;
        self.names.insert(name.to_owned(), file);
        file
    }

    fn used(&self) -> usize {
        let files = self.names.values();
        files.map(|file| self.contents[*file].bytes.len()).sum()
    }

    /// How many bytes of a write still fit.
    fn fits(&self, file: FileId, at: usize, length: usize) -> usize {
        let Some(capacity) = self.capacity else {
            return length;
        };
        let free = capacity.saturating_sub(self.used());
        let within = self.contents[file].bytes.len().saturating_sub(at);
        length.min(within + free)
    }
}
