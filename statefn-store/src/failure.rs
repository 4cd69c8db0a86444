//! Why a backend could not do what it was asked.

use std::error::Error;

/// A backend's failure: a kind to decide by, a sentence for people, and the cause.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreFailure {
    /// What to decide by.
    pub kind: FailureKind,
    /// What happened, in one line, with the place (path, offset) where it is known.
    pub message: String,
    /// The backend's own error.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kinds of failure that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// Somebody else holds a lock that was not released in time.
    Busy,
    /// The device is full or a quota is reached.
    DiskFull,
    /// The device or the file system failed.
    Io,
    /// Stored bytes contradict their checksum or the format.
    Corrupt,
    /// The store only answers reads (a damaged tail; see `salvage`).
    ReadOnly,
    /// The store is closed.
    Closed,
    /// Permission denied.
    Permission,
    /// The backend does not offer this operation.
    Unsupported,
    /// Anything else; see the source.
    Other,
}

impl StoreFailure {
    /// A failure without a deeper cause.
    ///
    /// ```
    /// use statefn_store::{FailureKind, StoreFailure};
    ///
    /// let failure = StoreFailure::new(FailureKind::Closed, "the store is closed");
    /// assert_eq!(failure.to_string(), "the store is closed");
    /// ```
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The same failure with the error that caused it.
    ///
    /// ```
    /// use std::error::Error;
    /// use statefn_store::{FailureKind, StoreFailure};
    ///
    /// let cause = std::io::Error::other("no space left");
    /// let failure = StoreFailure::new(FailureKind::DiskFull, "carts.db cannot grow").caused_by(cause);
    /// assert_eq!(failure.source().unwrap().to_string(), "no space left");
    /// ```
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }
}
