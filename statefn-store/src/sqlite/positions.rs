//! A stack of falling offsets in one to three bytes each: ten million of them fit where a list of
//! numbers would take 80 MB.

/// Offsets, pushed from the highest down, popped from the lowest up.
#[derive(Default)]
pub(super) struct Positions {
    /// Distances, seven bits a byte, the lowest bits first; only a number's first byte has a clear
    /// top bit, so that it can be read from its end.
    distances: Vec<u8>,
    /// The offset on top; 0 when the stack is empty.
    top: u64,
    /// How many there are.
    count: u64,
}

impl Positions {
    /// Adds an offset below all others.
    pub(super) fn push(&mut self, offset: u64) {
        let mut distance = self.top.saturating_sub(offset);
        let mut more = 0;
        loop {
            // Seven bits fit a byte.
            let bits = u8::try_from(distance & 0x7f).unwrap_or(0);
            self.distances.push(bits | more);
            distance >>= 7;
            more = 0x80;
            if distance == 0 {
                break;
            }
        }
        self.top = offset;
        self.count += 1;
    }

    /// Takes the lowest offset.
    pub(super) fn pop(&mut self) -> Option<u64> {
        self.count = self.count.checked_sub(1)?;
        let offset = self.top;
        let mut distance = 0;
        while let Some(byte) = self.distances.pop() {
            distance = (distance << 7) | u64::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                break;
            }
        }
        self.top = offset + distance;
        Some(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::Positions;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn offsets_come_back_in_rising_order(mut offsets in prop::collection::btree_set(1_u64..1 << 62, 0..100)) {
            let mut positions = Positions::default();
            for offset in offsets.iter().rev() {
                positions.push(*offset);
            }
            while let Some(offset) = positions.pop() {
                prop_assert_eq!(Some(offset), offsets.pop_first());
            }
            prop_assert!(offsets.is_empty());
        }
    }

    #[test]
    fn p8_neighbours_take_one_byte() {
        let mut positions = Positions::default();
        for offset in (1..=1000).rev() {
            positions.push(offset);
        }
        assert!(positions.distances.len() < 1010);
    }
}
