//! Projections in the notebook, and the mistakes in them.

use std::ops::Bound;

use statefn_store::{Projected, Projecting, StoredViews, ViewPage, ViewQuery};

use crate::bug::Bug;

/// Applies a change as somebody with this mistake would.
pub(crate) fn project(views: &mut StoredViews, mut change: Projecting, bug: Bug) -> Projected {
    match (&mut change, bug) {
        (Projecting::Advance(advance), Bug::AdvancesFromAnywhere) => {
            let stands = views.versions().into_iter().find(|v| v.id == advance.id);
            advance.expected = stands.map_or(advance.expected, |version| version.offset);
        }
        (Projecting::Advance(advance), Bug::MovesOffsetsWithoutRows) => advance.rows.clear(),
        (Projecting::Advance(advance), Bug::ForgetsWhatWasPassedOver) => advance.passed.clear(),
        (Projecting::Advance(advance), Bug::KeepsRemovedRows) => {
            advance.rows.retain(|change| change.row.is_some());
        }
        (Projecting::Drop { id, .. }, Bug::DropsWhatServes) => {
            let mut versions = views.versions().into_iter();
            let other = versions.find(|v| v.id.name == id.name && v.id != *id);
            if let Some(other) = other {
                let _ = views.project(Projecting::Serve(other.id));
            }
        }
        _ => {}
    }
    views.project(change)
}

/// Reads a page as somebody with this mistake would.
pub(crate) fn view(views: &StoredViews, mut query: ViewQuery, bug: Bug) -> Option<ViewPage> {
    match bug {
        Bug::PagesByKeyFromTheBoundOn => {
            if let Bound::Excluded(from) = query.from {
                query.from = Bound::Included(from);
            }
        }
        Bug::ServesTheNewestVersion => {
            let mut versions = views.versions().into_iter();
            let newest = versions.rfind(|version| version.id.name == query.projection);
            query.version = query.version.or(newest.map(|version| version.id.version));
        }
        _ => {}
    }
    let mut page = views.page(&query)?;
    if bug == Bug::PagesIndexesByKey {
        page.rows.sort_by(|a, b| a.place.key.cmp(&b.place.key));
    }
    Some(page)
}
