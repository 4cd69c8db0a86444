//! The file: one block for each stored form, in the order of its name.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

const HEADER: &str = "\
# Every form in which events are stored, with its shape. Written and checked by
# `statefn::testing::check_events_lock!`; commit it. Format 1.
";

/// A stored form's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) entity: String,
    pub(super) event: String,
    pub(super) version: u32,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            entity,
            event,
            version,
        } = self;
        write!(f, "event {event:?} of {entity:?}, version {version}")
    }
}

/// What the file says of a stored form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) codec: String,
    pub(super) shape: String,
}

/// All stored forms.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) entries: BTreeMap<Key, Entry>,
}

/// The line at which a file cannot be understood, and why.
pub(super) type Damage = (usize, String);

impl Document {
    pub(super) fn insert(&mut self, key: Key, entry: Entry) {
        self.entries.insert(key, entry);
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = HEADER.to_owned();
        for (key, entry) in &self.entries {
            let Key {
                entity,
                event,
                version,
            } = key;
            let Entry { codec, shape } = entry;
            let (entity, event) = (quoted(entity), quoted(event));
            // Writing to a string does not fail.
            let _ = write!(
                text,
                "\nevent {entity} {event} version {version} codec {codec}\n{shape}\n"
            );
        }
        text
    }

    /// Reads a file. Line endings, spaces at line ends and comments do not matter.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Damage> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.split(|byte| *byte == b'\n').count();
            (line, "it is not text".to_owned())
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut document = Self::default();
        let mut block: Option<(usize, Key, Entry)> = None;
        for (index, line) in text.lines().enumerate() {
            let (number, line) = (index + 1, line.trim_end());
            refuse_conflict(number, line)?;
            if line.is_empty() || (block.is_none() && line.starts_with('#')) {
                document.close(block.take())?;
            } else if let Some((_, _, entry)) = &mut block {
                if !entry.shape.is_empty() {
                    entry.shape.push('\n');
                }
                entry.shape.push_str(line);
            } else {
                let (key, codec) = heading(line).ok_or_else(|| {
                    let expected = "event \"entity\" \"event\" version 1 codec name";
                    (number, format!("expected `{expected}`, found `{line}`"))
                })?;
                let shape = String::new();
                block = Some((number, key, Entry { codec, shape }));
            }
        }
        document.close(block)?;
        Ok(document)
    }

    fn close(&mut self, block: Option<(usize, Key, Entry)>) -> Result<(), Damage> {
        let Some((line, key, entry)) = block else {
            return Ok(());
        };
        if entry.shape.is_empty() {
            return Err((line, format!("{key} has no shape")));
        }
        if self.entries.contains_key(&key) {
            return Err((line, format!("{key} is there twice")));
        }
        self.insert(key, entry);
        Ok(())
    }
}

fn refuse_conflict(number: usize, line: &str) -> Result<(), Damage> {
    let is_marker = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"]
        .iter()
        .any(|marker| line.starts_with(marker));
    if !is_marker {
        return Ok(());
    }
    let reason = "a merge conflict is not resolved. Keep the blocks of both sides where they \
                  differ in their first line; where one form has two shapes, one of the branches \
                  needs a new version of the event";
    Err((number, reason.to_owned()))
}

/// Reads the first line of a block.
fn heading(line: &str) -> Option<(Key, String)> {
    let rest = line.strip_prefix("event ")?;
    let mut names = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    let entity = names.next()?.ok()?;
    let event = names.next()?.ok()?;
    let rest = rest.get(names.byte_offset()..)?;
    let (version, codec) = rest.strip_prefix(" version ")?.split_once(" codec ")?;
    let version = version.parse().ok()?;
    let key = Key {
        entity,
        event,
        version,
    };
    Some((key, codec.trim().to_owned()))
}

fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}
