//! Pages of rows, in the order of keys or of an index.

use std::ops::Bound;

use serde::{Deserialize, Serialize};
use statefn_store::{Offset, RowPlace};

use super::{ReadError, ViewReader, decoded};
use crate::projection::KeptView;

/// How many rows a page has unless it says otherwise.
const LIMIT: usize = 100;

/// A question for rows of the view `V`: which ones, in which order, how many. [`page`](Self::page) asks
/// it.
#[derive(Clone, Debug)]
#[must_use = "nothing is read before `page`"]
pub struct RowQuery<V> {
    reader: ViewReader<V>,
    index: Option<&'static str>,
    from: Bound<Vec<u8>>,
    to: Bound<Vec<u8>>,
    descending: bool,
    limit: usize,
    behind: Option<Continuation>,
}

/// The place behind a page's last row: the next page begins there, also if that row is gone by then.
///
/// May be stored and sent: it holds the row's key and, of an index, the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continuation {
    value: Vec<u8>,
    key: Vec<u8>,
}

/// A page of rows, all as they were at one position of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowsPage<V> {
    /// The rows.
    pub rows: Vec<V>,
    /// Where the next page begins; `None`: there is none.
    pub next: Option<Continuation>,
    /// The rows are the fold of all entries up to here. Another page may be of a later position.
    pub offset: Offset,
}

impl<V: KeptView> RowQuery<V> {
    pub(super) fn new(
        reader: ViewReader<V>,
        index: Option<&'static str>,
        (from, to): (Bound<Vec<u8>>, Bound<Vec<u8>>),
    ) -> Self {
        Self {
            reader,
            index,
            from,
            to,
            descending: false,
            limit: LIMIT,
            behind: None,
        }
    }

    /// The last row first.
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// So many rows a page at most; 100 unless this says otherwise.
    pub fn limit(mut self, rows: usize) -> Self {
        self.limit = rows;
        self
    }

    /// Only rows behind the last one of a page before: [`RowsPage::next`].
    pub fn behind(mut self, page: Continuation) -> Self {
        self.behind = Some(page);
        self
    }

    /// Asks. A page may be shorter than its limit and still have a next one.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    ///
    /// # Cancel safety
    ///
    /// It only reads.
    pub async fn page(&self) -> Result<RowsPage<V>, ReadError> {
        let more = |query: &mut statefn_store::ViewQuery| {
            query.descending = self.descending;
            query.limit = self.limit;
            query.after = self.behind.clone().map(|behind| RowPlace {
                value: behind.value,
                key: behind.key,
            });
        };
        let (from, to) = (self.from.clone(), self.to.clone());
        let page = self.reader.page(self.index, from, to, more).await?;
        let next = page.rows.last().filter(|_| page.more);
        let next = next.map(|row| Continuation {
            value: row.place.value.clone(),
            key: row.place.key.clone(),
        });
        let rows = page.rows.iter().map(|row| decoded(&row.payload));
        Ok(RowsPage {
            rows: rows.collect::<Result<_, _>>()?,
            next: next.or_else(|| self.behind.clone().filter(|_| page.more)),
            offset: page.offset,
        })
    }
}
