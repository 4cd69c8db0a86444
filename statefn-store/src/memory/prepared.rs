//! A member made ready outside the lock: the lock then only moves pointers.

use std::sync::Arc;

use super::kept::{Kept, Place};
use crate::{Deferred, Member, NewSnapshot, PersistenceId, SequenceNumber, Timestamp};

/// A member as entries that have everything but their offsets.
pub(super) struct Prepared {
    pub(super) id: PersistenceId,
    pub(super) expected: SequenceNumber,
    /// Shared with nobody yet.
    pub(super) kept: Vec<Arc<Kept>>,
    pub(super) snapshot: Option<Arc<(SequenceNumber, NewSnapshot)>>,
    pub(super) time: Timestamp,
    pub(super) deferred: Option<Box<Deferred>>,
}

impl Prepared {
    /// Makes a member ready.
    pub(super) fn new(member: Member) -> Self {
        let Member {
            id,
            expected,
            time,
            metadata,
            events,
            state,
            snapshot,
            mut record,
            skip,
            deferred,
        } = member;
        let mut place = Place {
            sequence: expected,
            id: &id,
            time,
            metadata: &metadata,
        };
        let is_whole = state.is_some();
        let mut left = events.len();
        let mut kept = Vec::with_capacity(left.max(1));
        for event in events {
            place.sequence = place.sequence.next();
            left -= 1;
            let is_last = left == 0 && state.is_none();
            let record = if is_last { record.take() } else { None };
            kept.push(Arc::new(Kept::event(&place, event, record)));
        }
        if let Some(change) = state {
            place.sequence = place.sequence.next();
            kept.push(Arc::new(Kept::state(&place, *change, record.take())));
        }
        if let Some(record) = record {
            kept.push(Arc::new(Kept::record(&place, record)));
        }
        if let Some(skip) = skip {
            kept.push(Arc::new(Kept::skip(&place, skip)));
        }
        if kept.is_empty() && deferred.as_ref().is_some_and(|deferred| deferred.sends()) {
            kept.push(Arc::new(Kept::sent(&place)));
        }
        let sequence = place.sequence;
        Self {
            // A state or a deletion makes it superfluous.
            snapshot: snapshot
                .filter(|_| !is_whole)
                .map(|snapshot| Arc::new((sequence, snapshot))),
            id,
            expected,
            kept,
            time,
            deferred,
        }
    }
}
