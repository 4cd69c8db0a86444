//! Maps by entity that hash nothing.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::PersistenceId;

/// A map by entity. An id carries its hash, keyed with a key of this process, so looking one up
/// computes none and nobody outside can aim ids at one bucket.
///
/// ```
/// use statefn_store::{IdMap, PersistenceId};
///
/// let mut carts = IdMap::default();
/// carts.insert(PersistenceId::new("cart", "alice"), 3);
/// assert_eq!(carts.get(&PersistenceId::new("cart", "alice")), Some(&3));
/// ```
pub type IdMap<V> = HashMap<PersistenceId, V, BuildHasherDefault<IdHasher>>;

/// Takes over the hash that a [`PersistenceId`] carries.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    /// Not used by ids; here so that the trait is whole.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
