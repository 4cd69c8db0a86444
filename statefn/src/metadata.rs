//! Headers that travel with a command and are stored with what it wrote.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Ordered pairs of strings beside a command: a trace id, a user, a tenant.
///
/// Stored with every event that the command emits. Cloning copies the pairs; an empty one
/// allocates nothing. A name may occur more than once.
///
/// ```
/// use statefn::Metadata;
///
/// let mut metadata = Metadata::new();
/// metadata.insert("trace-id", "7f3a");
/// assert_eq!(metadata.get("trace-id"), Some("7f3a"));
/// assert_eq!(metadata.get("absent"), None);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata(Vec<(String, String)>);

impl Metadata {
    /// No pairs.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a pair behind the ones already there.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Adds all pairs of `other` behind the ones already there.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// The first value under this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(candidate, _)| *candidate == name)
            .map(|(_, value)| value)
    }

    /// All pairs, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes the names and values take together.
    pub fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum()
    }
}

impl fmt::Debug for Metadata {
    /// Shows the names only: values may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}
