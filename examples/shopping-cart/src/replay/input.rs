//! Where the lines come from, and what their keys are made of.

use std::fmt::Write as _;
use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::cli::Replay;
use crate::failure::Failure;

/// An opened input.
pub(super) struct Input {
    pub(super) reader: Box<dyn BufRead + Send>,
    /// How much there is to read, if that is known.
    pub(super) bytes: Option<u64>,
    pub(super) keys: Option<Keys>,
}

/// Makes the key of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    /// Keys of an input that its user names. Another prefix than [`Self::of_content`] uses, so
    /// that no name is mistaken for a content.
    fn named(name: &str) -> Self {
        Self {
            prefix: format!("name:{name}:"),
        }
    }

    /// Keys of an input with this content: half of its SHA-256 is plenty against accidents.
    fn of_content(digest: &[u8]) -> Self {
        let mut prefix = "sha256:".to_owned();
        for byte in digest.iter().take(16) {
            // Writing to a string cannot fail.
            let _ = write!(prefix, "{byte:02x}");
        }
        prefix.push(':');
        Self { prefix }
    }

    pub(super) fn key(&self, line: u64) -> String {
        format!("{}{line}", self.prefix)
    }
}

/// Opens what the options name, and reads it once for its hash if they ask for that.
pub(super) fn open(options: &Replay) -> Result<Input, Failure> {
    let named = options.keys_name.as_deref().map(Keys::named);
    let by_content = options.keys && named.is_none();
    if options.input == Path::new("-") {
        if by_content {
            let message = "--keys cannot hash standard input: add --keys-name NAME";
            return Err(Failure::Usage(message.to_owned()));
        }
        return Ok(Input {
            reader: Box::new(BufReader::new(io::stdin())),
            bytes: None,
            keys: named,
        });
    }
    let path = options.input.display();
    let unreadable = |error: io::Error| Failure::of(&format!("cannot read {path}"), &error);
    let mut file = File::open(&options.input).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(Failure::Failed(format!(
            "cannot read {path}: it is a folder"
        )));
    }
    if !by_content {
        let bytes = size(&metadata);
        return Ok(Input {
            reader: Box::new(BufReader::new(file)),
            bytes,
            keys: named,
        });
    }
    if !metadata.is_file() {
        return Err(Failure::Usage(format!(
            "--keys cannot hash {path}, which can be read only once: add --keys-name NAME"
        )));
    }
    let (bytes, digest) = hash(&mut file).map_err(unreadable)?;
    // What is appended meanwhile is not part of the hashed content, so it is not read either.
    Ok(Input {
        reader: Box::new(BufReader::new(file.take(bytes))),
        bytes: Some(bytes),
        keys: Some(Keys::of_content(&digest)),
    })
}

fn size(metadata: &Metadata) -> Option<u64> {
    metadata.is_file().then_some(metadata.len())
}

/// Reads the file to its end and goes back to its start.
fn hash(file: &mut File) -> io::Result<(u64, Vec<u8>)> {
    let mut hasher = Sha256::new();
    let mut bytes = 0;
    let mut reader = BufReader::with_capacity(1 << 16, &mut *file);
    loop {
        let chunk = reader.fill_buf()?;
        let length = chunk.len();
        if length == 0 {
            break;
        }
        hasher.update(chunk);
        bytes += length as u64;
        reader.consume(length);
    }
    file.rewind()?;
    Ok((bytes, hasher.finalize().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_of_content_and_line() {
        let keys = Keys::of_content(&Sha256::digest(b"abc"));
        // Stored with every command for ten years: this may never change.
        assert_eq!(keys.key(7), "sha256:ba7816bf8f01cfea414140de5dae2223:7");
        assert_eq!(Keys::named("monday").key(7), "name:monday:7");
    }

    #[test]
    fn the_longest_name_and_number_fit_into_a_key() {
        let key = Keys::named(&"n".repeat(200)).key(u64::MAX);
        assert!(key.len() <= statefn::Limits::default().key_bytes_max);
    }

    #[test]
    fn the_hash_leaves_the_file_at_its_start() {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, b"abc").unwrap();
        file.rewind().unwrap();
        let (bytes, digest) = hash(&mut file).unwrap();
        assert_eq!((bytes, digest), (3, Sha256::digest(b"abc").to_vec()));
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");
    }
}
