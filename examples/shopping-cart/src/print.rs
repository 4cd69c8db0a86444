//! Standard output and standard error, which may be gone, and text from outside, which may be odd.

use std::fmt::{self, Display, Write as _};
use std::io::{self, ErrorKind, Write as _};

use crate::failure::Failure;

/// Prints lines to stdout. A reader that has gone away (`| head`) is no failure.
pub(crate) fn lines(text: impl Display) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::of("cannot write to standard output", &error))
        }
        _ => Ok(()),
    }
}

/// Prints a line to stderr, if there is one.
pub(crate) fn complain(text: impl Display) {
    // There is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Text from outside with its control characters spelled out, so that a name cannot move the
/// terminal's caret or pretend to be another line.
pub(crate) struct Plain<'a>(pub(crate) &'a str);

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_spelled_out() {
        assert_eq!(
            Plain("a\nb\u{1b}[2J\0\u{9b}").to_string(),
            r"a\nb\u{1b}[2J\u{0}\u{9b}"
        );
        assert_eq!(Plain("Gläser 🍷 'x'").to_string(), "Gläser 🍷 'x'");
    }
}
