//! What is on a disk at one instant.

use std::collections::BTreeMap;

/// Files by name, in the one folder that a simulated disk has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Contents by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Image {
    /// A disk with one empty file, which is how a store begins: the backend makes the file itself,
    /// and syncs its name.
    pub fn empty(database: &str) -> Self {
        let files = BTreeMap::from([(database.to_owned(), Vec::new())]);
        Self { files }
    }
}

/// Writes into a file that grows as it needs to.
pub(crate) fn write(file: &mut Vec<u8>, at: usize, data: &[u8]) {
    let end = at + data.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(data);
}
