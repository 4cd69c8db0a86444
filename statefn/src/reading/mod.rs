//! Reading views: a row by its key, pages of rows by key or by index.

mod error;
mod position;
mod query;
mod wait;

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;
use std::time::Duration;

use statefn_store::{Offset, ViewPage, ViewQuery};

use crate::projection::definition::Layout;
use crate::projection::{KeptView, Projection};
use crate::runtime::engine::Engine;
use crate::runtime::projector::{Projector, declared};
use crate::system::Runtime;
use crate::view::{Index, Key, KeyOf};

pub use error::ReadError;
pub use query::{Continuation, RowQuery, RowsPage};

/// How long a read waits for its projection unless it says otherwise.
const WAIT: Duration = Duration::from_secs(5);

/// The rows of the view `V`, as they are now. Made by [`Runtime::view`]; a cheap handle.
///
/// Reads are answered from what the projection has committed. [`after`](Self::after) waits until that
/// includes a position in the journal.
pub struct ViewReader<V> {
    engine: Arc<Engine>,
    after: Offset,
    wait: Duration,
    of: PhantomData<fn() -> V>,
}

impl Runtime {
    /// The rows of a view.
    ///
    /// See [`#[projection]`](macro@crate::projection) for an example.
    pub fn view<V: KeptView>(&self) -> ViewReader<V> {
        ViewReader {
            engine: Arc::clone(self.engine()),
            after: Offset::ZERO,
            wait: WAIT,
            of: PhantomData,
        }
    }
}

impl<V: KeptView> ViewReader<V> {
    /// Reads wait until the projection has folded everything up to `position`.
    #[must_use]
    pub fn after(mut self, position: Offset) -> Self {
        self.after = position;
        self
    }

    /// How long reads wait at most: five seconds unless this says otherwise.
    #[must_use]
    pub fn within(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// The row of this key, if there is one. A key of text takes `&str`.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    ///
    /// # Cancel safety
    ///
    /// It only reads.
    pub async fn get(&self, key: &(impl KeyOf<V> + ?Sized)) -> Result<Option<V>, ReadError> {
        let key = key.to_bytes();
        let (from, to) = (Bound::Included(key.clone()), Bound::Included(key));
        let page = self.page(None, from, to, |_| {}).await?;
        let row = page.rows.first().map(|row| decoded(&row.payload));
        row.transpose()
    }

    /// All rows, in the order of their keys.
    pub fn rows(&self) -> RowQuery<V> {
        RowQuery::new(self.clone(), None, (Bound::Unbounded, Bound::Unbounded))
    }

    /// The rows with keys in a range.
    pub fn range(&self, keys: impl RangeBounds<V::Key>) -> RowQuery<V> {
        RowQuery::new(self.clone(), None, bounds(&keys))
    }

    /// All rows, in the order of an index, then of their keys: `view.index(SoldPerSku::SOLD)`.
    pub fn index<T: Key + ?Sized>(&self, index: Index<V, T>) -> RowQuery<V> {
        let all = (Bound::Unbounded, Bound::Unbounded);
        RowQuery::new(self.clone(), Some(index.name()), all)
    }

    /// The rows with values of an index in a range.
    pub fn index_range<T: Key>(
        &self,
        index: Index<V, T>,
        values: impl RangeBounds<T>,
    ) -> RowQuery<V> {
        RowQuery::new(self.clone(), Some(index.name()), bounds(&values))
    }

    /// Where the projection stands: its rows are the fold of all entries up to there.
    ///
    /// # Errors
    ///
    /// As a read.
    pub async fn offset(&self) -> Result<Offset, ReadError> {
        let nothing = Bound::Excluded(Vec::new());
        let page = self.page(None, Bound::Unbounded, nothing, |_| {}).await?;
        Ok(page.offset)
    }

    async fn page(
        &self,
        index: Option<&'static str>,
        from: Bound<Vec<u8>>,
        to: Bound<Vec<u8>>,
        more: impl FnOnce(&mut ViewQuery),
    ) -> Result<ViewPage, ReadError> {
        let projection = <V::Projection as Projection>::NAME;
        let shared = self.engine.shared();
        let Some(projector) = shared.projectors.find(projection) else {
            return Err(ReadError::NotHosted { projection });
        };
        wait::until::<V>(shared, projector, self.after, self.wait).await?;
        let mut query = ViewQuery {
            projection: projection.to_owned(),
            version: None,
            view: V::NAME.to_owned(),
            index: index.map(str::to_owned),
            from,
            to,
            descending: false,
            after: None,
            limit: 1,
        };
        more(&mut query);
        let page = shared.store.view(query).await;
        let page = page.map_err(ReadError::Unavailable)?;
        match page {
            Some(page) if declared(page.version) == projector.id.version => Ok(page),
            Some(page) => self.of_older(projector, page).await,
            None => Err(self.rebuilding(projector)),
        }
    }

    /// Rows of another version than the program's are of use if they have the same form.
    async fn of_older(&self, projector: &Projector, page: ViewPage) -> Result<ViewPage, ReadError> {
        let stored = self.engine.shared().store.projections().await;
        let stored = stored.map_err(ReadError::Unavailable)?;
        let mut versions = stored.versions.iter();
        let older =
            versions.find(|v| v.id.name == projector.id.name && v.id.version == page.version);
        let layout = older.and_then(|older| Layout::from_bytes(&older.layout).ok());
        let form = layout.and_then(|layout| layout.view(V::NAME));
        if form.is_some() && form == projector.layout.view(V::NAME) {
            return Ok(page);
        }
        Err(self.rebuilding(projector))
    }

    fn rebuilding(&self, projector: &Projector) -> ReadError {
        ReadError::Rebuilding {
            projection: <V::Projection as Projection>::NAME,
            offset: projector.standing().borrow().offset.unwrap_or_default(),
            end: self.engine.shared().projectors.end(),
        }
    }
}

fn decoded<V: KeptView>(payload: &[u8]) -> Result<V, ReadError> {
    let view = V::NAME;
    V::CODEC
        .decode(payload)
        .map_err(|source| ReadError::Row { view, source })
}

fn bounds<K: Key>(range: &impl RangeBounds<K>) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    (
        range.start_bound().map(Key::to_bytes),
        range.end_bound().map(Key::to_bytes),
    )
}

impl<V> Clone for ViewReader<V> {
    fn clone(&self) -> Self {
        Self {
            engine: Arc::clone(&self.engine),
            ..*self
        }
    }
}

impl<V> fmt::Debug for ViewReader<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewReader")
            .field("view", &std::any::type_name::<V>())
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}
