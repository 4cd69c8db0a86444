//! What this process takes of the machine, as the kernel counts it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// What a process and its store take at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    /// Resident memory, in bytes.
    pub(super) rss: u64,
    pub(super) descriptors: u64,
    pub(super) threads: u64,
    /// The write-ahead log, in bytes.
    pub(super) log: u64,
    /// The database, in bytes.
    pub(super) database: u64,
}

impl Usage {
    /// Now, with the store at `file`.
    pub(super) fn now(file: &Path) -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let first = line.and_then(|rest| rest.split_whitespace().next());
            first.and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
        // One of them is the look itself.
        let descriptors = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        Self {
            rss: number("VmRSS:") * 1024_u64,
            descriptors: descriptors.saturating_sub(1) as u64,
            threads: number("Threads:"),
            log: size(&log_of(file)),
            database: size(file),
        }
    }

    fn most(self, other: Self) -> Self {
        Self {
            rss: self.rss.max(other.rss),
            descriptors: self.descriptors.max(other.descriptors),
            threads: self.threads.max(other.threads),
            log: self.log.max(other.log),
            database: self.database.max(other.database),
        }
    }
}

fn log_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Looks again and again, and keeps the most of everything.
#[derive(Debug)]
pub(super) struct Watch {
    stop: Sender<()>,
    thread: JoinHandle<Usage>,
}

impl Watch {
    pub(super) fn start(file: &Path) -> Self {
        let (stop, stopped) = channel();
        let file = file.to_owned();
        let thread = std::thread::spawn(move || watch(&file, &stopped));
        Self { stop, thread }
    }

    /// The most that was seen.
    pub(super) fn stop(self) -> Usage {
        drop(self.stop);
        self.thread.join().unwrap_or_default()
    }
}

fn watch(file: &Path, stopped: &Receiver<()>) -> Usage {
    let mut most = Usage::now(file);
    while stopped.recv_timeout(Duration::from_millis(50)) == Err(RecvTimeoutError::Timeout) {
        most = most.most(Usage::now(file));
    }
    most.most(Usage::now(file))
}

/// Bytes in mebibytes, for tables.
pub(super) fn mib(bytes: u64) -> String {
    let tenths = bytes * 10 / (1 << 20);
    format!("{}.{}", tenths / 10, tenths % 10)
}
