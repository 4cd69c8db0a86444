//! Projections as a store keeps them: how far each version has come, and the rows of its views.

use crate::{Offset, Timestamp};

/// A projection in one of its versions. Each version has rows of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectionId {
    /// Declared name.
    pub name: String,
    /// Declared version, from 1.
    pub version: u32,
}

impl ProjectionId {
    /// The version of a projection.
    pub fn new(name: impl Into<String>, version: u32) -> Self {
        Self {
            name: name.into(),
            version,
        }
    }
}

impl std::fmt::Display for ProjectionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} version {}", self.name, self.version)
    }
}

/// What a store knows of one version of a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredProjection {
    /// Which one.
    pub id: ProjectionId,
    /// Its rows are the fold of all entries up to here.
    pub offset: Offset,
    /// Whether a read that names no version is answered from its rows. At most one version of a name.
    pub serves: bool,
    /// What the rows look like, in the runtime's words.
    pub layout: Vec<u8>,
}

/// All projections of a store at one point in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredProjections {
    /// The last committed entry.
    pub end: Offset,
    /// Every version, by name and version.
    pub versions: Vec<StoredProjection>,
}

/// A change of one version of a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Projecting {
    /// A version that is not there yet begins at `offset`, without rows. It serves if no version of
    /// its name does.
    Begin {
        /// Which one.
        id: ProjectionId,
        /// Everything up to here is left out.
        offset: Offset,
        /// What the rows will look like, in the runtime's words.
        layout: Vec<u8>,
    },
    /// Entries have been folded into rows.
    Advance(Advance),
    /// The version serves from now on, and no other one of its name.
    Serve(ProjectionId),
    /// Removes up to `limit` rows of a version that does not serve, and the version itself once it
    /// has none.
    Drop {
        /// Which one.
        id: ProjectionId,
        /// So many rows at most.
        limit: usize,
    },
}

/// What a stretch of the journal does to the rows of a projection: all of it is stored, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advance {
    /// Which one.
    pub id: ProjectionId,
    /// Where it must stand. Anything else refuses the change.
    pub expected: Offset,
    /// Where it stands afterwards; not before `expected`.
    pub offset: Offset,
    /// Changed rows, in order: a later change of a row takes the place of an earlier one.
    pub rows: Vec<RowChange>,
    /// Entries that were left out by an operator's decision.
    pub passed: Vec<PassedOver>,
}

/// A row that is written or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    /// The view that it belongs to.
    pub view: String,
    /// Its key: rows are ordered by these bytes.
    pub key: Vec<u8>,
    /// The row; `None` removes it, if it is there.
    pub row: Option<NewRow>,
}

/// A row of a view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewRow {
    /// What it holds.
    pub payload: Vec<u8>,
    /// Under which values of which indexes it is found; one value an index.
    pub indexed: Vec<IndexValue>,
}

/// A value under which an index lists a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexValue {
    /// The index.
    pub index: String,
    /// The value: an index is ordered by these bytes, then by the rows' keys.
    pub value: Vec<u8>,
}

/// An audited decision to leave one entry out of a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// The entry.
    pub offset: Offset,
    /// When that was decided.
    pub time: Timestamp,
    /// Why.
    pub reason: String,
}

/// What became of a [`Projecting`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Projected {
    /// On stable storage.
    Done,
    /// On stable storage; a [`Drop`](Projecting::Drop) has left rows for another one.
    More,
    /// Not applied: a version that begins is there already, one that is to move stands somewhere
    /// else, one that is to be dropped serves, or it is not there at all.
    Refused {
        /// Where the version stands; `None` if it is not there.
        at: Option<Offset>,
    },
}
