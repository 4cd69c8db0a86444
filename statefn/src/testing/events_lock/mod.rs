//! `events.lock`: the stored forms of all events, written down, so that a test finds a change.

mod compare;
mod diff;
mod document;
mod failure;

use std::any::TypeId;
use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use crate::runtime::definition::{Definition, Registration};
use crate::system::EntitySet;

use document::{Document, Entry, Key};
pub use failure::{Difference, EventsLockError};

/// Checks that no event changed its stored form without saying so: one line in a test.
///
/// ```no_run
/// #[test]
/// fn events_keep_their_stored_form() {
///     statefn::testing::check_events_lock!();
/// }
/// ```
///
/// It compares the events of every entity that is linked into the test with the file
/// `events.lock` beside `Cargo.toml`, in which each version of each event has a block with its
/// shape and codec. Commit that file. Name the entities, `check_events_lock!(Cart, User)`, when
/// the test links others as well, such as entities made for tests only.
///
/// - **No file yet**: it is written, and the test passes. On CI (the variable `CI` is set) it
///   fails instead, because nobody would commit what is written there.
/// - **Another shape** under the same name and version, or an event or version that is **gone**:
///   stored events would be misread or refused. The test fails, shows the difference and the ways
///   out: a new version with an upcaster (`#[event(version = 2, from = ..)]`), or accepting it
///   when no such event was ever stored.
/// - **A new event, a new version, another codec**: nothing breaks; the test fails until the file
///   is brought up to date.
///
/// `STATEFN_UPDATE_LOCK=1 cargo test` accepts everything and writes the file, also on CI.
///
/// # Panics
///
/// The file does not match, is damaged (a merge conflict, say) or cannot be read or written, the
/// shape of an event cannot be traced, or no entity is linked into the test.
#[macro_export]
#[doc(hidden)]
macro_rules! __check_events_lock {
    () => {
        $crate::testing::EventsLock::linked().assert_matches(::core::concat!(
            ::core::env!("CARGO_MANIFEST_DIR"),
            "/events.lock"
        ))
    };
    ($($entity:ty),+ $(,)?) => {
        $crate::testing::EventsLock::of::<($($entity,)+)>().assert_matches(::core::concat!(
            ::core::env!("CARGO_MANIFEST_DIR"),
            "/events.lock"
        ))
    };
}

/// The stored forms of the events of some entities, to be held against a file.
///
/// [`check_events_lock!`](crate::testing::check_events_lock) is the short way; this one takes any
/// path and answers instead of panicking.
///
/// ```
/// # mod shop {
/// # use serde::{Deserialize, Serialize};
/// # use statefn::prelude::*;
/// # #[derive(Event, Serialize, Deserialize)]
/// # pub struct Renamed { name: String }
/// # #[entity(event_sourced, name = "user")]
/// # #[derive(Default, Serialize, Deserialize)]
/// # pub struct User { name: String }
/// # #[entity]
/// # impl User {
/// #     #[event_handler]
/// #     fn renamed(&mut self, event: &Renamed) { self.name = event.name.clone(); }
/// # }
/// # }
/// # use shop::*;
/// use statefn::testing::{EventsLock, LockMode};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("events.lock");
/// let lock = EventsLock::of::<(User,)>();
/// assert!(lock.check(&path, LockMode::Strict).is_err()); // there is none
/// lock.check(&path, LockMode::Create)?; // writes it
/// lock.check(&path, LockMode::Strict)?;
/// assert!(std::fs::read_to_string(&path)?.contains("\
/// event \"user\" \"Renamed\" version 1 codec bincode
/// {
///   name: string
/// }
/// "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct EventsLock {
    entities: Vec<Arc<dyn Definition>>,
}

/// What a check may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// Nothing: a missing file is a failure.
    Strict,
    /// A file where there is none.
    Create,
    /// The file, whatever it said before.
    Update,
}

impl LockMode {
    /// What the environment asks for: `Update` if `STATEFN_UPDATE_LOCK` is set, `Strict` if `CI`
    /// is, else `Create`. A variable that is empty, `0` or `false` counts as not set.
    pub fn from_env() -> Self {
        let is_set = |name| {
            std::env::var_os(name)
                .is_some_and(|value| !["", "0", "false"].iter().any(|off| value == *off))
        };
        if is_set("STATEFN_UPDATE_LOCK") {
            Self::Update
        } else if is_set("CI") {
            Self::Strict
        } else {
            Self::Create
        }
    }
}

impl EventsLock {
    /// The events of every entity that is linked into the program.
    pub fn linked() -> Self {
        Self {
            entities: Registration::linked().collect(),
        }
    }

    /// The events of these entities: a tuple of up to eight.
    pub fn of<S: EntitySet>() -> Self {
        let mut entities = Vec::new();
        S::define(&mut |definition| entities.push(definition.0));
        Self { entities }
    }

    /// Holds the file at `path` against the code, in the mode that the environment asks for.
    ///
    /// # Panics
    ///
    /// They do not match, or the check failed: see [`EventsLockError`].
    #[track_caller]
    pub fn assert_matches(&self, path: impl AsRef<Path>) {
        if let Err(error) = self.check(path, LockMode::from_env()) {
            panic!("{error}");
        }
    }

    /// Holds the file at `path` against the code.
    ///
    /// # Errors
    ///
    /// They do not match, the file is missing, damaged, or cannot be read or written, the shape
    /// of an event cannot be traced, or there is no entity.
    pub fn check(&self, path: impl AsRef<Path>, mode: LockMode) -> Result<(), EventsLockError> {
        let path = path.as_ref();
        let current = self.current()?;
        let text = match std::fs::read(path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(EventsLockError::io("read", path, error)),
        };
        match (text, mode) {
            (_, LockMode::Update) | (None, LockMode::Create) => write(path, &current.to_text()),
            (None, LockMode::Strict) => Err(EventsLockError::Missing { path: path.into() }),
            (Some(bytes), LockMode::Strict | LockMode::Create) => {
                let stored = Document::parse(&bytes).map_err(|(line, reason)| {
                    let path = path.into();
                    EventsLockError::Damaged { path, line, reason }
                })?;
                let differences = compare::compare(&stored, &current, &self.definitions()?);
                if differences.is_empty() {
                    return Ok(());
                }
                let path = path.into();
                Err(EventsLockError::Differs { path, differences })
            }
        }
    }

    /// The entities by their stored names.
    fn definitions(&self) -> Result<BTreeMap<&'static str, &dyn Definition>, EventsLockError> {
        let mut by_name: BTreeMap<&'static str, &dyn Definition> = BTreeMap::new();
        for definition in &self.entities {
            let name = definition.entity_type();
            let id = |definition: &dyn Definition| -> TypeId { definition.type_id() };
            match by_name.get(name) {
                Some(other) if id(*other) != id(&**definition) => {
                    let (first, second) = (other.type_name(), definition.type_name());
                    return Err(EventsLockError::NameTaken {
                        name,
                        first,
                        second,
                    });
                }
                _ => by_name.insert(name, &**definition),
            };
        }
        Ok(by_name)
    }

    fn current(&self) -> Result<Document, EventsLockError> {
        let definitions = self.definitions()?;
        if definitions.is_empty() {
            return Err(EventsLockError::NoEntities);
        }
        let (mut document, mut hidden) = (Document::default(), Vec::new());
        for (name, definition) in definitions {
            let codec = definition.options().codec;
            for form in definition.events(codec) {
                let key = Key {
                    entity: name.to_owned(),
                    event: form.name.to_owned(),
                    version: form.version,
                };
                match form.shape {
                    Ok(shape) => document.insert(
                        key,
                        Entry {
                            codec: codec.name().to_owned(),
                            shape: shape.text().to_owned(),
                        },
                    ),
                    Err(error) => hidden.push((key.to_string(), error)),
                }
            }
        }
        if hidden.is_empty() {
            Ok(document)
        } else {
            Err(EventsLockError::Hidden { events: hidden })
        }
    }
}

impl fmt::Debug for EventsLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.entities.iter().map(|entity| entity.entity_type());
        f.debug_list().entries(names).finish()
    }
}

/// Writes the file whole or not at all: tests run side by side.
fn write(path: &Path, text: &str) -> Result<(), EventsLockError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = Path::new(&beside);
    std::fs::write(beside, text)
        .and_then(|()| std::fs::rename(beside, path))
        .map_err(|error| EventsLockError::io("write", path, error))
}
