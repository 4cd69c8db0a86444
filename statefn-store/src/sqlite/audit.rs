//! Reading a whole journal with distrust: every checksum, chain, offset and sequence number.

use std::collections::BTreeMap;

use rusqlite::Row;

use super::head::EntityHead;
use super::limits::LISTED_FAULTS;
use super::row::{Body, Damage, Header, id_of, number};
use crate::{Fault, IdMap, Offset, PersistenceId};

/// What the journal says of one entity.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    /// Where its chain ends.
    pub(super) head: EntityHead,
    /// Its last entry up to the watermark.
    pub(super) covered: u64,
    /// Whether the table of heads has a row for it.
    pub(super) listed: bool,
}

/// An audit under way. Holds one line for each entity, and up to a thousand faults.
pub(super) struct Audit {
    pub(super) entities: IdMap<Found>,
    pub(super) entries: u64,
    watermark: u64,
    last: u64,
    faults: Vec<Fault>,
    more: u64,
    /// Events that no entry holds, until an operator's skip explains them.
    missing: BTreeMap<(PersistenceId, u64), u64>,
}

impl Audit {
    /// Begins before the first entry.
    pub(super) fn new(watermark: u64) -> Self {
        Self {
            entities: IdMap::default(),
            entries: 0,
            watermark,
            last: 0,
            faults: Vec::new(),
            more: 0,
            missing: BTreeMap::new(),
        }
    }

    /// The last offset seen.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Checks the next entry (columns of `row::ENTRY`) and hands it out if all of it is sound.
    pub(super) fn entry<'r>(
        &mut self,
        row: &'r Row<'_>,
    ) -> Option<(PersistenceId, Header<'r>, Body<'r>)> {
        self.entries += 1;
        let offset = number(row, 0).unwrap_or(0);
        self.reach(offset);
        let header = match Header::read(row) {
            Ok(header) => header,
            Err(Damage(what)) => {
                self.fault(id_of(row, 1), offset, what);
                return None;
            }
        };
        let id = PersistenceId::new(header.entity_type.to_owned(), header.id);
        self.link(&id, &header);
        let body =
            Body::read(row, &header).and_then(|body| body.others_are_null(row).map(|()| body));
        match body {
            Ok(body) => {
                if let Some(skip) = &body.skip {
                    self.missing.remove(&(id.clone(), skip.sequence));
                }
                Some((id, header, body))
            }
            Err(Damage(what)) => {
                self.fault(Some(id), offset, what);
                None
            }
        }
    }

    /// Notes offsets that no row has, up to the one before `offset`.
    pub(super) fn reach(&mut self, offset: u64) {
        let first = self.last + 1;
        if offset > first {
            let what = format!(
                "the entries at offsets {first} to {} are missing",
                offset - 1
            );
            self.fault(None, first, what);
        }
        self.last = self.last.max(offset);
    }

    fn link(&mut self, id: &PersistenceId, header: &Header<'_>) {
        let offset = header.offset;
        let found = self.entities.entry(id.clone()).or_default();
        let before = found.head;
        found.head.record = header.previous_record;
        found.head.append(offset, header.kind, header.sequence);
        if offset <= self.watermark {
            found.covered = offset;
        }
        if header.slice != id.slice() {
            self.fault(
                Some(id.clone()),
                offset,
                "its slice is not the one of its id",
            );
        }
        if header.previous != before.position || header.previous_record != before.record {
            let what = format!(
                "its chain is broken: it follows offset {}, but {} came before",
                header.previous, before.position
            );
            self.fault(Some(id.clone()), offset, what);
        }
        if header.sequence_before() < before.sequence {
            let what = format!("its sequence number {} comes twice", header.sequence);
            self.fault(Some(id.clone()), offset, what);
        }
        for sequence in before.sequence + 1..=header.sequence_before() {
            if self.missing.len() >= LISTED_FAULTS {
                self.more += 1;
                break;
            }
            self.missing.insert((id.clone(), sequence), offset);
        }
    }

    /// Notes a fault.
    pub(super) fn fault(
        &mut self,
        id: Option<PersistenceId>,
        offset: u64,
        what: impl Into<String>,
    ) {
        if self.faults.len() >= LISTED_FAULTS {
            self.more += 1;
            return;
        }
        self.faults.push(Fault {
            id,
            offset: (offset != 0).then(|| Offset::new(offset)),
            what: what.into(),
        });
    }

    /// All faults, with a last line for those that were too many to list.
    pub(super) fn faults(mut self) -> Vec<Fault> {
        for ((id, sequence), offset) in std::mem::take(&mut self.missing) {
            let what = format!("the event with sequence number {sequence} before it is missing");
            self.fault(Some(id), offset, what);
        }
        if self.more > 0 {
            let more = self.more;
            self.faults.push(Fault {
                id: None,
                offset: None,
                what: format!("{more} more faults"),
            });
        }
        self.faults
    }
}
