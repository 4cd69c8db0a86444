//! The sizes and times of the SQLite backend, in one place.

use std::time::Duration;

/// Number of the file format that this program writes (see FORMAT.md).
pub(super) const FORMAT: u32 = 4;

/// `PRAGMA application_id` of a store: the bytes `stfn`.
pub(super) const APPLICATION_ID: u32 = 0x7374_666e;

/// The oldest SQLite accepted, as text and as the library's own number. Older ones can lose
/// commits when two connections meet at the reset of the write-ahead log.
pub(super) const OLDEST_SQLITE: (&str, i32) = ("3.51.3", 3_051_003);

/// Pages of a new database, in bytes.
pub(super) const PAGE_BYTES: u32 = 4096;

/// Page cache of the writing connection, in KiB.
pub(super) const WRITER_CACHE_KIB: i64 = 64 * 1024;

/// Page cache of each reading connection, in KiB.
pub(super) const READER_CACHE_KIB: i64 = 16 * 1024;

/// How long SQLite waits for a lock that somebody outside holds.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(1);

/// Batches that may wait for the writer; more are answered `Unavailable` (kind `Busy`).
pub(super) const COMMIT_QUEUE: usize = 16_384;

/// Members that one transaction gathers before it commits.
pub(super) const TRANSACTION_MEMBERS: usize = 4_096;

/// Bytes that one transaction gathers before it commits. A single larger batch goes alone.
pub(super) const TRANSACTION_BYTES: usize = 8 * 1024 * 1024;

/// Threads that read, each with its own connection.
pub(super) const READERS: usize = 2;

/// Reading connections that stay open while nobody uses them.
pub(super) const IDLE_CONNECTIONS: usize = 4;

/// Entries that a load reads on its caller's thread; the rest of a longer one goes to a thread of
/// the pool.
pub(super) const ENTRIES_AT_ONCE: u64 = 128;

/// A load that takes longer than this on its caller's thread had to wait for the disk ..
pub(super) const SLOW_LOAD: Duration = Duration::from_millis(1);

/// .. and sends so many that come after it to the threads of the pool.
pub(super) const LOADS_AFTER_A_SLOW_ONE: u32 = 256;

/// Reads that may wait for a thread; more are answered `Unavailable` (kind `Busy`).
pub(super) const READ_QUEUE: usize = 16_384;

/// Payload bytes that a load keeps while it walks back; older entries are read twice instead.
pub(super) const LOAD_BUFFER_BYTES: usize = 1024 * 1024;

/// A load reads a range of the journal instead of single entries when at least one entry in this
/// many belongs to the entity.
pub(super) const DENSE_SPAN: u64 = 4;

/// Payload bytes after which a page of [`read`](crate::Store::read) ends early.
pub(super) const PAGE_PAYLOAD_BYTES: usize = 4 * 1024 * 1024;

/// Entities gathered in memory before their heads are merged into the table.
pub(super) const GATHERED_ENTITIES: usize = 131_072;

/// Entries behind the watermark before a merge begins: bounds the scan at a start after a crash.
pub(super) const GATHERED_ENTRIES: u64 = 262_144;

/// Heads merged in each transaction beyond two for each entry that it appends.
pub(super) const MERGE_STEP: usize = 64;

/// Merged heads kept in memory in each of two generations.
pub(super) const CACHED_HEADS: usize = 65_536;

/// Heads from which on a thread of its own sorts and frees them; fewer take less time than a thread
/// takes to start.
pub(super) const SORTED_ASIDE: usize = 4_096;

/// Pages in the write-ahead log (64 MiB) at which the writer moves them into the database.
pub(super) const CHECKPOINT_PAGES: u64 = 16_384;

/// Commits between two looks at the length of the log.
pub(super) const LOOK_EVERY: u32 = 16;

/// How long a move of the log waits for readers that began before it.
pub(super) const READER_WAIT: Duration = Duration::from_millis(20);

/// Times [`CHECKPOINT_PAGES`] at which a log that a long reader holds is reported.
pub(super) const LARGE_LOG: u64 = 8;

/// Entries that one transaction erases.
pub(super) const ERASED_AT_ONCE: usize = 1_024;

/// Without work for this long, the writer empties the write-ahead log.
pub(super) const IDLE: Duration = Duration::from_secs(1);

/// How long the writer waits for the first answered caller of a transaction to tell the others.
pub(super) const PASS_ON_WAIT: Duration = Duration::from_millis(2);

/// First and longest wait between attempts to reopen a failed database.
pub(super) const REOPEN_WAIT: (Duration, Duration) =
    (Duration::from_millis(10), Duration::from_secs(2));

/// How long dropping a store waits for its writer to finish and release the lock.
pub(super) const DROP_WAIT: Duration = Duration::from_secs(10);

/// Faults that a check lists; the rest is counted in one line.
pub(super) const LISTED_FAULTS: usize = 1_000;
