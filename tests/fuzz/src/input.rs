//! An input, taken apart piece by piece. What is left out at its end is zero.

use arbitrary::Unstructured;

/// What is left of an input.
pub(crate) struct Input<'a>(Unstructured<'a>);

impl<'a> Input<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self(Unstructured::new(data))
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or_default()
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0.arbitrary().unwrap_or_default()
    }

    /// True once in `of` times.
    pub(crate) fn once_in(&mut self, of: u8) -> bool {
        self.byte() % of == of - 1
    }

    /// A number below `sides`, which takes one byte.
    pub(crate) fn below(&mut self, sides: u8) -> u8 {
        self.byte() % sides
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.byte()) % of.len()]
    }

    /// Up to `max` bytes, at most 255; most often few.
    pub(crate) fn bytes(&mut self, max: u8) -> Vec<u8> {
        let length = usize::from(self.byte().min(max)).min(self.0.len());
        self.0.bytes(length).unwrap_or_default().to_vec()
    }

    /// Up to `max` bytes of text: as much as is UTF-8.
    pub(crate) fn text(&mut self, max: u8) -> String {
        let mut bytes = self.bytes(max);
        if let Err(error) = std::str::from_utf8(&bytes) {
            bytes.truncate(error.valid_up_to());
        }
        String::from_utf8(bytes).unwrap_or_default()
    }

    /// Everything that is left.
    pub(crate) fn rest(self) -> Vec<u8> {
        self.0.take_rest().to_vec()
    }
}
