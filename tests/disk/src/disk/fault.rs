//! Which operations of a disk fail, and what they answer.

use rusqlite::ffi;

/// A kind of operation, as faults count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    /// Opening a file.
    Open,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Cutting a file.
    Truncate,
    /// Syncing.
    Sync,
    /// Asking for a length.
    Size,
    /// Removing a file.
    Delete,
    /// Asking whether a file is there.
    Access,
    /// Taking or asking for a lock of the database.
    Lock,
    /// Mapping shared memory.
    ShmMap,
    /// Taking a lock in shared memory.
    ShmLock,
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Failure {
    /// A file cannot be opened.
    Open,
    /// A read answers with an error.
    Read,
    /// A write answers with an error and has written nothing.
    Write,
    /// A write answers with an error after its first half.
    ShortWrite,
    /// A write finds no space after its first half.
    Full,
    /// A file cannot be cut.
    Truncate,
    /// A sync answers with an error.
    Sync,
    /// A length cannot be had.
    Size,
    /// A file cannot be removed.
    Delete,
    /// Nobody knows whether a file is there.
    Access,
    /// A lock answers with an error.
    Lock,
    /// Shared memory cannot be mapped.
    ShmMap,
    /// A lock in shared memory answers with an error.
    ShmLock,
    /// A lock in shared memory is said to be taken.
    ShmBusy,
}

impl Failure {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Open,
        Self::Read,
        Self::Write,
        Self::ShortWrite,
        Self::Full,
        Self::Truncate,
        Self::Sync,
        Self::Size,
        Self::Delete,
        Self::Access,
        Self::Lock,
        Self::ShmMap,
        Self::ShmLock,
        Self::ShmBusy,
    ];

    /// The operation that it strikes.
    pub fn strikes(self) -> Call {
        match self {
            Self::Open => Call::Open,
            Self::Read => Call::Read,
            Self::Write | Self::ShortWrite | Self::Full => Call::Write,
            Self::Truncate => Call::Truncate,
            Self::Sync => Call::Sync,
            Self::Size => Call::Size,
            Self::Delete => Call::Delete,
            Self::Access => Call::Access,
            Self::Lock => Call::Lock,
            Self::ShmMap => Call::ShmMap,
            Self::ShmLock | Self::ShmBusy => Call::ShmLock,
        }
    }

    /// What SQLite is told.
    pub(crate) fn code(self) -> i32 {
        match self {
            Self::Open => ffi::SQLITE_CANTOPEN,
            Self::Read => ffi::SQLITE_IOERR_READ,
            Self::Write | Self::ShortWrite => ffi::SQLITE_IOERR_WRITE,
            Self::Full => ffi::SQLITE_FULL,
            Self::Truncate => ffi::SQLITE_IOERR_TRUNCATE,
            Self::Sync => ffi::SQLITE_IOERR_FSYNC,
            Self::Size => ffi::SQLITE_IOERR_FSTAT,
            Self::Delete => ffi::SQLITE_IOERR_DELETE,
            Self::Access => ffi::SQLITE_IOERR_ACCESS,
            Self::Lock => ffi::SQLITE_IOERR_LOCK,
            Self::ShmMap => ffi::SQLITE_IOERR_SHMMAP,
            Self::ShmLock => ffi::SQLITE_IOERR_SHMLOCK,
            Self::ShmBusy => ffi::SQLITE_BUSY,
        }
    }
}

/// A planned fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// How it fails.
    pub failure: Failure,
    /// The first operation of its kind that fails, from 1, counted from when the plan was made.
    pub first: u64,
    /// Whether all later ones fail too, until the plan is taken back.
    pub forever: bool,
}

/// The plan of a disk and how far it has come.
#[derive(Debug, Default)]
pub(super) struct Faults {
    plan: Option<Plan>,
    seen: u64,
    struck: u64,
}

impl Faults {
    pub(super) fn plan(&mut self, plan: Option<Plan>) {
        self.plan = plan;
        self.seen = 0;
        self.struck = 0;
    }

    pub(super) fn struck(&self) -> u64 {
        self.struck
    }

    /// A write found no space.
    pub(super) fn found_no_space(&mut self) {
        self.struck += 1;
    }

    /// Whether the operation at hand fails.
    pub(super) fn strike(&mut self, call: Call) -> Option<Failure> {
        let plan = self.plan.filter(|plan| plan.failure.strikes() == call)?;
        self.seen += 1;
        let due = self.seen == plan.first || (plan.forever && self.seen > plan.first);
        self.struck += u64::from(due);
        due.then_some(plan.failure)
    }
}
