//! Questions to the rows of a view, and their answers.

use std::ops::Bound;

use crate::{Offset, ProjectionId};

/// Which rows, in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewQuery {
    /// The name of the projection that keeps the view.
    pub projection: String,
    /// Which version; `None`: the one that serves.
    pub version: Option<u32>,
    /// The view.
    pub view: String,
    /// The index that orders the rows; `None`: their keys do.
    pub index: Option<String>,
    /// Where the keys (or the index's values) begin ..
    pub from: Bound<Vec<u8>>,
    /// .. and where they end.
    pub to: Bound<Vec<u8>>,
    /// Whether the last one comes first.
    pub descending: bool,
    /// Only rows behind this one, in the order of the query.
    pub after: Option<RowPlace>,
    /// So many rows at most.
    pub limit: usize,
}

impl ViewQuery {
    /// The bounds as the first bytes that are wanted and, unless there is no end, the first that
    /// are not any more.
    ///
    /// ```
    /// use statefn_store::ViewQuery;
    /// use std::ops::Bound;
    ///
    /// let query = ViewQuery {
    ///     projection: "bestsellers".into(),
    ///     version: None,
    ///     view: "sold".into(),
    ///     index: None,
    ///     from: Bound::Excluded(vec![7]),
    ///     to: Bound::Included(vec![9]),
    ///     descending: false,
    ///     after: None,
    ///     limit: 10,
    /// };
    /// assert_eq!(query.span(), (vec![7, 0], Some(vec![9, 0])));
    /// ```
    pub fn span(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        // The next bytes in order are the same with a zero behind them.
        let next = |bytes: &Vec<u8>| [bytes.as_slice(), &[0]].concat();
        let from = match &self.from {
            Bound::Included(from) => from.clone(),
            Bound::Excluded(from) => next(from),
            Bound::Unbounded => Vec::new(),
        };
        let to = match &self.to {
            Bound::Included(to) => Some(next(to)),
            Bound::Excluded(to) => Some(to.clone()),
            Bound::Unbounded => None,
        };
        (from, to)
    }
}

/// The place of a row in an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowPlace {
    /// The index's value; empty where the keys order.
    pub value: Vec<u8>,
    /// The row's key.
    pub key: Vec<u8>,
}

/// A page of rows, all of one point in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewPage {
    /// The version that answered.
    pub version: u32,
    /// The rows are the fold of all entries up to here.
    pub offset: Offset,
    /// The rows, in the order of the query.
    pub rows: Vec<ViewRow>,
    /// Whether there are more behind the last one.
    pub more: bool,
}

/// A row as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewRow {
    /// Its place in the order of the query.
    pub place: RowPlace,
    /// What it holds.
    pub payload: Vec<u8>,
}

/// Rows by their keys, for a projection that is about to change them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowsWanted {
    /// Whose rows.
    pub id: ProjectionId,
    /// View and key of each.
    pub rows: Vec<(String, Vec<u8>)>,
}

/// The answer to [`RowsWanted`]: of one point in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowsFound {
    /// Where the projection stands.
    pub offset: Offset,
    /// What each row holds, in the order of the question; `None` where there is no row.
    pub rows: Vec<Option<Vec<u8>>>,
}
