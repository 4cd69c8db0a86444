//! Where an entity's journal ends: one row of `heads`.

use rusqlite::{Connection, Row, params};

use super::checksum::Checksum;
use super::kind::Kind;
use super::number::to_sql;
use super::row::{Damage, id_of, number, signed, text};
use crate::{Head, Offset, PersistenceId, SequenceNumber};

/// What is known of an entity without looking into its journal. Offsets; 0 is "none".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EntityHead {
    /// Its last entry.
    pub(super) position: u64,
    /// The sequence number of its last event, state or deletion.
    pub(super) sequence: u64,
    /// Its newest entry that has an idempotency record, or had one before it was erased.
    pub(super) record: u64,
    /// The event after which its newest snapshot was taken.
    pub(super) snapshot: u64,
    /// Its newest state or deletion; its first entry if it has neither.
    pub(super) first: u64,
    /// Its newest skip.
    pub(super) skip: u64,
}

impl EntityHead {
    /// The head in the words of the contract.
    pub(super) fn public(&self) -> Head {
        Head {
            sequence: SequenceNumber::new(self.sequence),
            position: Offset::new(self.position),
            record: Offset::new(self.record),
        }
    }

    /// Moves on by one entry.
    pub(super) fn append(&mut self, offset: u64, kind: Kind, sequence: u64) {
        self.position = offset;
        self.sequence = sequence;
        if kind.has_record() {
            self.record = offset;
        }
        if self.first == 0 || kind.is_whole() {
            self.first = offset;
        }
        if kind.is_whole() {
            self.snapshot = 0;
        }
        if matches!(kind, Kind::Skip | Kind::ErasedSkip) {
            self.skip = offset;
        }
    }

    /// Reads and verifies position, sequence, record, snapshot, first, skip and sum, which begin at
    /// column `at`.
    pub(super) fn read(row: &Row<'_>, at: usize, id: &PersistenceId) -> Result<Self, Damage> {
        let head = Self {
            position: number(row, at)?,
            sequence: number(row, at + 1)?,
            record: number(row, at + 2)?,
            snapshot: number(row, at + 3)?,
            first: number(row, at + 4)?,
            skip: number(row, at + 5)?,
        };
        if head.sum(id) == signed(row, at + 6)? {
            Ok(head)
        } else {
            Err(Damage("its head contradicts the checksum"))
        }
    }

    /// The merged head of an entity; `None` if the table has none. The inner error is damage.
    ///
    /// A row whose *name* is damaged stands where the entity is looked for, but does not answer to
    /// it: an entity is new only if the rows on both sides of its place are sound.
    pub(super) fn stored(
        conn: &Connection,
        id: &PersistenceId,
    ) -> rusqlite::Result<Option<Result<Self, Damage>>> {
        let at_or_after = "SELECT position, sequence, record, snapshot, first, skip, sum, type, id \
                           FROM heads WHERE (type, id) >= (?1, ?2) ORDER BY type, id LIMIT 1";
        let before = "SELECT position, sequence, record, snapshot, first, skip, sum, type, id \
                      FROM heads WHERE (type, id) < (?1, ?2) ORDER BY type DESC, id DESC LIMIT 1";
        for sql in [at_or_after, before] {
            let mut statement = conn.prepare_cached(sql)?;
            let mut rows = statement.query(params![id.entity_type().as_str(), id.id()])?;
            let Some(row) = rows.next()? else {
                continue;
            };
            if text(row, 8) == Ok(id.id()) && text(row, 7) == Ok(id.entity_type().as_str()) {
                return Ok(Some(Self::read(row, 0, id)));
            }
            if id_of(row, 7).is_none_or(|beside| Self::read(row, 0, &beside).is_err()) {
                return Ok(Some(Err(Damage("the head beside its place is damaged"))));
            }
        }
        Ok(None)
    }

    /// Writes the merged head of an entity.
    pub(super) fn store(&self, conn: &Connection, id: &PersistenceId) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO heads \
                   (type, id, position, sequence, record, snapshot, first, skip, sum) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        conn.prepare_cached(sql)?.execute(params![
            id.entity_type().as_str(),
            id.id(),
            to_sql(self.position),
            to_sql(self.sequence),
            to_sql(self.record),
            to_sql(self.snapshot),
            to_sql(self.first),
            to_sql(self.skip),
            self.sum(id),
        ])?;
        Ok(())
    }

    fn sum(&self, id: &PersistenceId) -> i64 {
        Checksum::of([
            self.position,
            self.sequence,
            self.record,
            self.snapshot,
            self.first,
            self.skip,
        ])
        .field(id.entity_type().as_str().as_bytes())
        .field(id.id().as_bytes())
        .stored()
    }
}
