//! What has been measured so far, kept in a file after every round.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use statefn_bench_kit::Sample;

/// Everything that a report says, beside the rows' definitions.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    /// Settings and the machine: a name, what it is.
    pub(crate) setting: Vec<(String, String)>,
    pub(crate) families: Vec<Measured>,
}

/// A family's samples.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// The family's [`what`](super::Family::what).
    pub(crate) what: String,
    /// Of each contender in the order of the entries.
    pub(crate) samples: Vec<Vec<Sample>>,
    pub(crate) facts: Vec<String>,
}

impl Results {
    /// The results in a file, or none if there is no file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(path)?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Replaces the file.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// The samples of a family.
    pub(crate) fn of(&self, what: &str) -> Option<&Measured> {
        self.families.iter().find(|measured| measured.what == what)
    }

    /// Puts a family's samples in the place of earlier ones.
    pub(crate) fn put(&mut self, measured: Measured) {
        self.families
            .retain(|earlier| earlier.what != measured.what);
        self.families.push(measured);
    }
}
