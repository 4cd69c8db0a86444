//! Where the random numbers of a command come from.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that no other command of any process is likely to get.
pub(crate) fn nonce() -> u64 {
    static SALT: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    SALT.get_or_init(RandomState::new).hash_one(count)
}
