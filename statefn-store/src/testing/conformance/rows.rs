//! What a store must answer of rows, worked out the plainest way: a list, sorted for each question.

use std::ops::Bound;

use crate::{NewRow, Offset, RowChange, RowPlace, ViewQuery, ViewRow};

/// The rows of one version of a projection as they must be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rows {
    pub(super) offset: Offset,
    rows: Vec<(String, Vec<u8>, NewRow)>,
}

impl Rows {
    /// Applies the changes of an advance.
    pub(super) fn advance(&mut self, offset: Offset, changes: &[RowChange]) {
        self.offset = offset;
        for RowChange { view, key, row } in changes {
            self.rows.retain(|(v, k, _)| (v, k) != (view, key));
            if let Some(row) = row {
                self.rows.push((view.clone(), key.clone(), row.clone()));
            }
        }
    }

    /// What the row of this key holds.
    pub(super) fn get(&self, view: &str, key: &[u8]) -> Option<Vec<u8>> {
        let mut rows = self.rows.iter();
        let found = rows.find(|(v, k, _)| v == view && k == key);
        found.map(|(_, _, row)| row.payload.clone())
    }

    /// Every row that a question is about, as if its limit were none.
    pub(super) fn all(&self, query: &ViewQuery) -> Vec<ViewRow> {
        let mut found = Vec::new();
        for (_, key, row) in self.rows.iter().filter(|(view, _, _)| *view == query.view) {
            let value = match &query.index {
                None => Some(Vec::new()),
                Some(index) => {
                    let mut values = row.indexed.iter();
                    values.find(|v| v.index == *index).map(|v| v.value.clone())
                }
            };
            let Some(value) = value else { continue };
            let key = key.clone();
            found.push(ViewRow {
                place: RowPlace { value, key },
                payload: row.payload.clone(),
            });
        }
        found.retain(|row| {
            let place = &row.place;
            let ordered = if query.index.is_some() {
                &place.value
            } else {
                &place.key
            };
            let from = match &query.from {
                Bound::Included(from) => ordered >= from,
                Bound::Excluded(from) => ordered > from,
                Bound::Unbounded => true,
            };
            let to = match &query.to {
                Bound::Included(to) => ordered <= to,
                Bound::Excluded(to) => ordered < to,
                Bound::Unbounded => true,
            };
            let behind = query.after.as_ref().is_none_or(|after| {
                if query.descending {
                    place < after
                } else {
                    place > after
                }
            });
            from && to && behind
        });
        found.sort_by(|a, b| a.place.cmp(&b.place));
        if query.descending {
            found.reverse();
        }
        found
    }
}
