//! The entities of a shard by id.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use statefn_store::PersistenceId;

use crate::runtime::activation::Activation;

/// Takes the hash that [`PersistenceId`] has computed already, keyed against aimed ids.
#[derive(Default)]
pub(super) struct TableHasher(u64);

impl Hasher for TableHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

pub(super) type Table = HashMap<PersistenceId, Activation, BuildHasherDefault<TableHasher>>;
