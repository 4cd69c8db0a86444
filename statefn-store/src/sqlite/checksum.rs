//! CRC-32 over tagged fields: finds rot and misplaced rows, not malice.

use crc32fast::Hasher;

/// A checksum under way. Every variable field is preceded by its length, so that no two rows of
/// different shape share their bytes.
pub(super) struct Checksum(Hasher);

impl Checksum {
    /// A sum that begins with `numbers` as little-endian words.
    pub(super) fn of<const N: usize>(numbers: [u64; N]) -> Self {
        let mut hasher = Hasher::new();
        for number in numbers {
            hasher.update(&number.to_le_bytes());
        }
        Self(hasher)
    }

    /// Adds a field of any length.
    pub(super) fn field(mut self, bytes: &[u8]) -> Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds a number.
    pub(super) fn number(mut self, number: u64) -> Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    /// The sum as it is stored: signed, so that SQLite needs four bytes for all values.
    pub(super) fn stored(self) -> i64 {
        i64::from(self.0.finalize().cast_signed())
    }
}
