//! Why a check of `events.lock` fails, and the ways out.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::shape::ShapeError;

/// Why a check of `events.lock` failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum EventsLockError {
    /// The code does not match the file.
    Differs {
        /// The file.
        path: PathBuf,
        /// What differs.
        differences: Vec<Difference>,
    },
    /// There is no file, and the mode is to write none.
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file cannot be understood.
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// The file cannot be read or written.
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The shapes of these events cannot be traced.
    Hidden {
        /// Their names, and why.
        events: Vec<(String, ShapeError)>,
    },
    /// Two entities are stored under one name.
    NameTaken {
        /// The name.
        name: &'static str,
        /// A Rust type of that name.
        first: &'static str,
        /// Another one.
        second: &'static str,
    },
    /// There is no entity to check.
    NoEntities,
}

/// One difference between a file and the code.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// A stored form looks different now: stored events would be misread or refused.
    Changed {
        /// The event and its version.
        form: String,
        /// The shapes, line by line.
        diff: String,
    },
    /// The code does not know a stored form any more: stored events would be refused.
    Removed {
        /// The event and its version.
        form: String,
    },
    /// The code has a form that the file does not have yet.
    Added {
        /// The event and its version.
        form: String,
    },
    /// New events are written with another codec; stored ones keep theirs.
    Recoded {
        /// The event and its version.
        form: String,
        /// The codec in the file.
        before: String,
        /// The codec in the code.
        now: String,
    },
}

impl Difference {
    /// Whether stored events may become unreadable by it.
    pub fn is_breaking(&self) -> bool {
        matches!(self, Self::Changed { .. } | Self::Removed { .. })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { form, diff } => {
                writeln!(f, "{form}: the stored form has changed")?;
                diff.lines().try_for_each(|line| writeln!(f, "    {line}"))
            }
            Self::Removed { form } => writeln!(f, "{form}: the code does not know it any more"),
            Self::Added { form } => writeln!(f, "{form}: new"),
            Self::Recoded { form, before, now } => writeln!(
                f,
                "{form}: the codec was {before} and is {now}; stored events keep theirs and stay \
                 readable"
            ),
        }
    }
}

const WAYS_OUT: &str = "\
Events that were stored in that form could not be read any more. There are two ways out:
  - Keep the old form: leave its type as it was, as a struct with the event's name and version
    (`#[event(name = \"..\", version = 1)]`), and give the new form the next version with an
    upcaster: `#[event(version = 2, from = OldForm)]` and `impl From<OldForm> for ..`.
  - If no such event was ever stored outside of tests, accept the change:
    STATEFN_UPDATE_LOCK=1 cargo test
";

const UPDATE: &str = "\
Nothing that is stored breaks. Accept it and commit the file:
    STATEFN_UPDATE_LOCK=1 cargo test
";

impl EventsLockError {
    pub(super) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            action,
            path: path.into(),
            source,
        }
    }
}

impl fmt::Display for EventsLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs { path, differences } => {
                writeln!(f, "the events do not match {}\n", path.display())?;
                for difference in differences {
                    writeln!(f, "{difference}")?;
                }
                let breaks = differences.iter().any(Difference::is_breaking);
                f.write_str(if breaks { WAYS_OUT } else { UPDATE })
            }
            Self::Missing { path } => write!(
                f,
                "{} is missing, and on CI it is not written: run the test where you work, and \
                 commit the file",
                path.display()
            ),
            Self::Damaged { path, line, reason } => {
                write!(f, "{}, line {line}: {reason}", path.display())
            }
            Self::Io {
                action,
                path,
                source,
            } => write!(f, "cannot {action} {}: {source}", path.display()),
            Self::Hidden { events } => {
                for (event, error) in events {
                    writeln!(f, "{event}: {error}")?;
                }
                Ok(())
            }
            Self::NameTaken {
                name,
                first,
                second,
            } => write!(
                f,
                "`{first}` and `{second}` are both stored as {name:?}: name the entities to check, \
                 `check_events_lock!(Cart, User)`"
            ),
            Self::NoEntities => f.write_str(
                "no entity is linked into this test: name one of its crate's items in it, or the \
                 entities themselves, `check_events_lock!(Cart, User)`",
            ),
        }
    }
}

impl std::error::Error for EventsLockError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
