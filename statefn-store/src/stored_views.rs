//! Projections and their rows in memory: for the in-memory backend, and for others that keep them
//! there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::{
    Advance, NewRow, Offset, PassedOver, Projected, Projecting, ProjectionId, RowChange, RowPlace,
    RowsFound, RowsWanted, StoredProjection, ViewPage, ViewQuery, ViewRow,
};

/// All projections of a store, with what clause B13 of [`Store`](crate::Store) says about them.
///
/// ```
/// use statefn_store::{Advance, NewRow, Offset, Projected, Projecting, ProjectionId, RowChange};
/// use statefn_store::StoredViews;
///
/// let id = ProjectionId::new("bestsellers", 1);
/// let mut views = StoredViews::default();
/// let begin = Projecting::Begin { id: id.clone(), offset: Offset::ZERO, layout: Vec::new() };
/// assert_eq!(views.project(begin), Projected::Done);
///
/// let row = NewRow { payload: b"7".to_vec(), indexed: Vec::new() };
/// let advance = Advance {
///     id,
///     expected: Offset::ZERO,
///     offset: Offset::new(3),
///     rows: vec![RowChange { view: "sold".into(), key: b"apples".to_vec(), row: Some(row) }],
///     passed: Vec::new(),
/// };
/// assert_eq!(views.project(Projecting::Advance(advance.clone())), Projected::Done);
/// // A second time it expects a place where the projection no longer is.
/// let at = Some(Offset::new(3));
/// assert_eq!(views.project(Projecting::Advance(advance)), Projected::Refused { at });
/// ```
#[derive(Clone, Debug, Default)]
pub struct StoredViews {
    versions: BTreeMap<ProjectionId, Version>,
}

#[derive(Clone, Debug, Default)]
struct Version {
    offset: Offset,
    serves: bool,
    layout: Vec<u8>,
    views: BTreeMap<String, View>,
    passed: BTreeMap<Offset, PassedOver>,
}

#[derive(Clone, Debug, Default)]
struct View {
    rows: BTreeMap<Vec<u8>, NewRow>,
    indexes: BTreeMap<String, BTreeSet<RowPlace>>,
}

impl StoredViews {
    /// Every version, by name and version.
    pub fn versions(&self) -> Vec<StoredProjection> {
        let stored = self.versions.iter().map(|(id, version)| StoredProjection {
            id: id.clone(),
            offset: version.offset,
            serves: version.serves,
            layout: version.layout.clone(),
        });
        stored.collect()
    }

    /// Applies a change, or refuses it.
    pub fn project(&mut self, change: Projecting) -> Projected {
        match change {
            Projecting::Begin { id, offset, layout } => self.begin(id, offset, layout),
            Projecting::Advance(advance) => self.advance(advance),
            Projecting::Serve(id) => self.serve(&id),
            Projecting::Drop { id, limit } => self.remove(&id, limit),
        }
    }

    fn begin(&mut self, id: ProjectionId, offset: Offset, layout: Vec<u8>) -> Projected {
        if let Some(version) = self.versions.get(&id) {
            return Projected::Refused {
                at: Some(version.offset),
            };
        }
        let mut others = self.versions.iter();
        let serves = !others.any(|(other, version)| other.name == id.name && version.serves);
        let version = Version {
            offset,
            serves,
            layout,
            ..Version::default()
        };
        self.versions.insert(id, version);
        Projected::Done
    }

    fn advance(&mut self, advance: Advance) -> Projected {
        let Some(version) = self.versions.get_mut(&advance.id) else {
            return Projected::Refused { at: None };
        };
        if version.offset != advance.expected || advance.offset < advance.expected {
            return Projected::Refused {
                at: Some(version.offset),
            };
        }
        version.offset = advance.offset;
        for change in advance.rows {
            version.change(change);
        }
        for passed in advance.passed {
            version.passed.insert(passed.offset, passed);
        }
        Projected::Done
    }

    fn serve(&mut self, id: &ProjectionId) -> Projected {
        if !self.versions.contains_key(id) {
            return Projected::Refused { at: None };
        }
        for (other, version) in &mut self.versions {
            if other.name == id.name {
                version.serves = other.version == id.version;
            }
        }
        Projected::Done
    }

    fn remove(&mut self, id: &ProjectionId, limit: usize) -> Projected {
        let Some(version) = self.versions.get_mut(id) else {
            return Projected::Refused { at: None };
        };
        if version.serves {
            return Projected::Refused {
                at: Some(version.offset),
            };
        }
        let mut left = limit;
        for view in version.views.values_mut() {
            while left > 0
                && let Some((key, row)) = view.rows.pop_first()
            {
                view.unlist(&key, &row);
                left -= 1;
            }
        }
        version.views.retain(|_, view| !view.rows.is_empty());
        if !version.views.is_empty() {
            return Projected::More;
        }
        self.versions.remove(id);
        Projected::Done
    }

    /// Rows by their keys; `None` if there is no such version.
    pub fn rows(&self, wanted: &RowsWanted) -> Option<RowsFound> {
        let version = self.versions.get(&wanted.id)?;
        let rows = wanted.rows.iter().map(|(view, key)| {
            let row = version.views.get(view)?.rows.get(key)?;
            Some(row.payload.clone())
        });
        Some(RowsFound {
            offset: version.offset,
            rows: rows.collect(),
        })
    }

    /// A page of rows; `None` if there is no such version.
    pub fn page(&self, query: &ViewQuery) -> Option<ViewPage> {
        let (id, version) = self.versions.iter().find(|(id, version)| {
            id.name == query.projection
                && match query.version {
                    Some(wanted) => id.version == wanted,
                    None => version.serves,
                }
        })?;
        let mut rows = match version.views.get(&query.view) {
            Some(view) => view.page(query),
            None => Vec::new(),
        };
        let more = rows.len() > query.limit;
        rows.truncate(query.limit);
        Some(ViewPage {
            version: id.version,
            offset: version.offset,
            rows,
            more,
        })
    }

    /// Up to `limit` entries that a version has left out, behind `after`.
    pub fn passed_over(&self, id: &ProjectionId, after: Offset, limit: usize) -> Vec<PassedOver> {
        let Some(version) = self.versions.get(id) else {
            return Vec::new();
        };
        let range = (Bound::Excluded(after), Bound::Unbounded);
        let passed = version.passed.range(range);
        passed
            .take(limit)
            .map(|(_, passed)| passed.clone())
            .collect()
    }
}

impl Version {
    fn change(&mut self, change: RowChange) {
        let view = self.views.entry(change.view).or_default();
        if let Some(before) = view.rows.remove(&change.key) {
            view.unlist(&change.key, &before);
        }
        let Some(row) = change.row else { return };
        for indexed in &row.indexed {
            let place = RowPlace {
                value: indexed.value.clone(),
                key: change.key.clone(),
            };
            let index = view.indexes.entry(indexed.index.clone()).or_default();
            index.insert(place);
        }
        view.rows.insert(change.key, row);
    }
}

impl View {
    /// Takes a row out of the indexes.
    fn unlist(&mut self, key: &[u8], row: &NewRow) {
        for indexed in &row.indexed {
            if let Some(index) = self.indexes.get_mut(&indexed.index) {
                index.remove(&RowPlace {
                    value: indexed.value.clone(),
                    key: key.to_vec(),
                });
            }
        }
    }

    /// The rows of a query, one more than its limit if there are more.
    fn page(&self, query: &ViewQuery) -> Vec<ViewRow> {
        let limit = query.limit.saturating_add(1);
        let Some(span) = Span::of(query) else {
            return Vec::new();
        };
        let row = |place: RowPlace| {
            let payload = self.rows.get(&place.key)?.payload.clone();
            Some(ViewRow { place, payload })
        };
        let places: Vec<RowPlace> = match &query.index {
            None => {
                let bounds = (
                    span.from.map(|place| place.key),
                    span.to.map(|place| place.key),
                );
                let keys = self.rows.range(bounds).map(|(key, _)| RowPlace {
                    value: Vec::new(),
                    key: key.clone(),
                });
                taken(keys, query.descending, limit)
            }
            Some(index) => {
                let index = self.indexes.get(index);
                let places = index.map(|index| index.range((span.from, span.to)).cloned());
                places.map_or_else(Vec::new, |all| taken(all, query.descending, limit))
            }
        };
        places.into_iter().filter_map(row).collect()
    }
}

fn taken(
    places: impl DoubleEndedIterator<Item = RowPlace>,
    descending: bool,
    limit: usize,
) -> Vec<RowPlace> {
    if descending {
        places.rev().take(limit).collect()
    } else {
        places.take(limit).collect()
    }
}

/// Where the rows of a query lie in its order.
struct Span {
    from: Bound<RowPlace>,
    to: Bound<RowPlace>,
}

impl Span {
    /// `None` if nothing can lie there.
    fn of(query: &ViewQuery) -> Option<Self> {
        let (from, to) = query.span();
        let is_index = query.index.is_some();
        let place = |bytes: Vec<u8>| {
            let (value, key) = if is_index {
                (bytes, Vec::new())
            } else {
                (Vec::new(), bytes)
            };
            RowPlace { value, key }
        };
        let (mut from, mut to) = (Bound::Included(place(from)), to.map(place));
        let after = query.after.clone();
        if query.descending {
            to = match (to, after) {
                (Some(to), Some(after)) => Some(to.min(after)),
                (to, after) => to.or(after),
            };
        } else if let (Some(after), Bound::Included(first)) = (after, &from)
            && after >= *first
        {
            from = Bound::Excluded(after);
        }
        let (Bound::Included(first) | Bound::Excluded(first)) = &from else {
            return None;
        };
        if to.as_ref().is_some_and(|to| first >= to) {
            return None;
        }
        let to = to.map_or(Bound::Unbounded, Bound::Excluded);
        Some(Self { from, to })
    }
}
