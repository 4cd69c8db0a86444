//! Cuts an input into numbered lines, in bounded memory.

use std::io::{self, BufRead};

/// Longest line, without its end.
pub(super) const LINE_BYTES_MAX: usize = 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines of an input, from 1.
pub(super) struct Lines<R> {
    input: R,
    number: u64,
    /// Bytes read so far.
    position: u64,
}

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u64,
    /// `None` when it is longer than [`LINE_BYTES_MAX`].
    pub(super) bytes: Option<Vec<u8>>,
    /// Where the input stands behind it.
    pub(super) position: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            number: 0,
            position: 0,
        }
    }

    /// The next line; `None` at the end. The last line may lack its end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let mut is_too_long = false;
        let mut is_at_end = true;
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            is_at_end = false;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let (part, taken) = match end {
                Some(end) => (chunk.get(..end).unwrap_or_default(), end + 1),
                None => (chunk, chunk.len()),
            };
            if bytes.len() + part.len() > limit(self.number) {
                is_too_long = true;
                bytes = Vec::new();
            }
            if !is_too_long {
                bytes.extend_from_slice(part);
            }
            self.input.consume(taken);
            self.position += taken as u64;
            if end.is_some() {
                break;
            }
        }
        if is_at_end {
            return Ok(None);
        }
        self.number += 1;
        if self.number == 1 && bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        is_too_long |= bytes.len() > LINE_BYTES_MAX;
        Ok(Some(Line {
            number: self.number,
            bytes: (!is_too_long).then_some(bytes),
            position: self.position,
        }))
    }
}

/// How much is kept of a line before its ends are taken off.
fn limit(lines_before: u64) -> usize {
    let mark = if lines_before == 0 {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    LINE_BYTES_MAX + mark + 1
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn lines(input: &[u8]) -> Vec<Option<Vec<u8>>> {
        // Lines must not depend on how the input arrives.
        let mut lines = Lines::new(BufReader::with_capacity(3, input));
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            assert_eq!(line.number, all.len() as u64 + 1);
            all.push(line.bytes);
        }
        assert_eq!(lines.position, input.len() as u64);
        all
    }

    fn text(lines: &[&str]) -> Vec<Option<Vec<u8>>> {
        lines
            .iter()
            .map(|line| Some(line.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn lines_end_with_lf_or_crlf_and_the_last_one_may_lack_its_end() {
        assert_eq!(lines(b""), text(&[]));
        assert_eq!(lines(b"\n"), text(&[""]));
        assert_eq!(
            lines(b"one\r\ntwo\n\nfour"),
            text(&["one", "two", "", "four"])
        );
        assert_eq!(lines(b"a\rb\n"), text(&["a\rb"]));
    }

    #[test]
    fn a_byte_order_mark_in_front_is_left_out() {
        assert_eq!(
            lines(b"\xef\xbb\xbfone\n\xef\xbb\xbftwo"),
            text(&["one", "\u{feff}two"])
        );
    }

    #[test]
    fn a_line_may_have_a_mebibyte_and_not_a_byte_more() {
        let long = vec![b'x'; LINE_BYTES_MAX];
        for (start, end) in [("", "\n"), ("", "\r\n"), ("", ""), ("\u{feff}", "\r\n")] {
            let mut input = [start.as_bytes(), &long, end.as_bytes()].concat();
            assert_eq!(lines(&input), [Some(long.clone())]);
            input.insert(start.len(), b'x');
            assert_eq!(lines(&input), [None]);
        }
    }

    #[test]
    fn behind_a_line_that_is_too_long_the_next_one_is_read() {
        let mut input = vec![b'x'; 3 * LINE_BYTES_MAX];
        input.extend_from_slice(b"\nnext\n");
        assert_eq!(lines(&input), [None, Some(b"next".to_vec())]);
    }
}
