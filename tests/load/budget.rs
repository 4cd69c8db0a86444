//! The memory that a runtime may take, from its limits.

use statefn::Limits;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Page caches of the SQLite store: its writer's, and two readers'.
const CACHES: u64 = (64 + 2 * 16) * MIB;

/// Two transactions of at most 8 MiB: one that is written and one that gathers.
const TRANSACTIONS: u64 = 2 * 8 * MIB;

/// A head in memory, and in how many generations.
const HEAD: u64 = 3 * 256;

/// Entities whose heads are gathered before they are merged.
const HEADS_MAX: u64 = 131_072;

/// A call that waits: its future and task, its slot, and up to 1 KiB of a write that is not counted in
/// bytes.
const CALL: u64 = 4 * KIB;

/// A resident entity of a few words: its state and its places in the tables of its shard.
const RESIDENT: u64 = KIB;

/// What the measuring itself takes, and what the allocator keeps between threads.
const MEASURING: u64 = 32 * MIB;

/// The most that a process may grow by under load.
pub(super) fn growth(limits: &Limits, entities: u64, book: u64) -> u64 {
    let residents = entities.min(limits.residents_max as u64);
    CACHES
        + TRANSACTIONS
        + HEAD * entities.min(HEADS_MAX)
        + CALL * limits.waiting_max as u64
        + limits.waiting_bytes_max as u64
        + RESIDENT * residents
        + book
        + MEASURING
}

/// Ten percent more: what is allowed.
pub(super) fn with_room(bytes: u64) -> u64 {
    bytes + bytes / 10
}
