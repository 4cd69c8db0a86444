//! CRC-32 over tagged fields: finds rot and misplaced rows, not malice.

use crc32fast::Hasher;

/// Bytes gathered before they are summed: the sum costs more a call than a byte.
const GATHERED: usize = 256;

/// A checksum under way. Every variable field is preceded by its length, so that no two rows of
/// different shape share their bytes.
pub(super) struct Checksum {
    hasher: Hasher,
    gathered: [u8; GATHERED],
    length: usize,
}

impl Checksum {
    /// A sum that begins with `numbers` as little-endian words.
    pub(super) fn of<const N: usize>(numbers: [u64; N]) -> Self {
        let mut sum = Self {
            hasher: Hasher::new(),
            gathered: [0; GATHERED],
            length: 0,
        };
        for number in numbers {
            sum.number(number);
        }
        sum
    }

    /// Adds a field of any length.
    pub(super) fn field(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64).bytes(bytes)
    }

    /// Adds a number.
    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let end = self.length + bytes.len();
        if let Some(room) = self.gathered.get_mut(self.length..end) {
            room.copy_from_slice(bytes);
            self.length = end;
        } else {
            self.sum_gathered();
            self.hasher.update(bytes);
        }
        self
    }

    fn sum_gathered(&mut self) {
        let gathered = self.gathered.get(..self.length).unwrap_or_default();
        self.hasher.update(gathered);
        self.length = 0;
    }

    /// The sum as it is stored: signed, so that SQLite needs four bytes for all values.
    pub(super) fn stored(&mut self) -> i64 {
        self.sum_gathered();
        i64::from(self.hasher.clone().finalize().cast_signed())
    }
}
