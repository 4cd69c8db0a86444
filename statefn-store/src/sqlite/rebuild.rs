//! Heads from the journal: the tail behind the watermark at a start, or one entity by a scan.

use rusqlite::{Connection, Row, params};

use super::failure::{ReadError, SqliteError};
use super::head::EntityHead;
use super::heads::HeadMap;
use super::number::to_sql;
use super::row::{Damage, HEADER, Header, number, text};
use super::schema::Meta;
use crate::{FailureKind, PersistenceId};

/// What a start finds.
pub(super) struct Rebuilt {
    /// Heads that the table does not have.
    pub(super) heads: HeadMap,
    /// The last entry.
    pub(super) last: u64,
    /// The watermark from which the tail was read.
    pub(super) watermark: u64,
    /// The first damage found: the store must not be written to.
    pub(super) damage: Option<SqliteError>,
}

/// Reads the journal behind the watermark and checks every header, chain and offset in it.
pub(super) fn rebuild(conn: &Connection) -> Result<Rebuilt, SqliteError> {
    let mut tail = Tail {
        conn,
        heads: HeadMap::default(),
        last: 0,
        damage: None,
    };
    let watermark = match Meta::read(conn) {
        Ok(meta) => meta.watermark,
        Err(error) if error.kind() == FailureKind::Corrupt => {
            tail.damaged(&error.to_string());
            0
        }
        Err(error) => return Err(error),
    };
    tail.last = watermark;
    match tail.read() {
        Ok(()) => {}
        // The pages themselves are damaged: what was read so far can be salvaged.
        Err(error) if error.kind() == FailureKind::Corrupt => tail.damaged(&error.to_string()),
        Err(error) => return Err(error),
    }
    Ok(Rebuilt {
        heads: tail.heads,
        last: tail.last,
        watermark,
        damage: tail.damage,
    })
}

struct Tail<'c> {
    conn: &'c Connection,
    heads: HeadMap,
    last: u64,
    damage: Option<SqliteError>,
}

impl Tail<'_> {
    fn read(&mut self) -> Result<(), SqliteError> {
        let watermark = to_sql(self.last);
        let newest: Option<i64> =
            self.conn
                .query_row("SELECT max(offset) FROM journal", [], |row| row.get(0))?;
        if newest.unwrap_or(0) < watermark {
            self.damaged(&format!("entries up to offset {watermark} are missing"));
        }
        let sql = format!("SELECT {HEADER} FROM journal WHERE offset > ?1 ORDER BY offset");
        let mut statement = self.conn.prepare(&sql)?;
        let mut rows = statement.query([watermark])?;
        while let Some(row) = rows.next()? {
            self.entry(row)?;
        }
        // A damaged page above the entries can hide some of them from one search and not from another.
        if to_sql(self.last) < newest.unwrap_or(0) {
            let missing = self.last + 1;
            self.damaged(&format!("the entry at offset {missing} is missing"));
        }
        self.snapshots(watermark)
    }

    fn entry(&mut self, row: &Row<'_>) -> Result<(), SqliteError> {
        let offset = number(row, 0).unwrap_or(0);
        if offset != self.last + 1 {
            let missing = self.last + 1;
            self.damaged(&format!("the entry at offset {missing} is missing"));
        }
        self.last = self.last.max(offset);
        match Header::read(row) {
            Ok(header) => self.header(&header),
            Err(Damage(what)) => {
                self.damaged(&format!("the entry at offset {offset}: {what}"));
                // Whoever it seems to belong to must not be shown without it.
                if let (Ok(entity_type), Ok(id)) = (text(row, 1), text(row, 2)) {
                    let id = PersistenceId::new(entity_type.to_owned(), id);
                    let mut head = self.head(&id)?.unwrap_or_default();
                    head.position = offset;
                    self.heads.insert(id, head);
                }
                Ok(())
            }
        }
    }

    fn header(&mut self, header: &Header<'_>) -> Result<(), SqliteError> {
        let id = PersistenceId::new(header.entity_type.to_owned(), header.id);
        let mut head = self.head(&id)?.unwrap_or_default();
        if head.position >= header.offset {
            // A merge that had not finished wrote this entity's head already.
            return Ok(());
        }
        if header.previous != head.position
            || header.sequence_before() < head.sequence
            || header.previous_record != head.record
        {
            let offset = header.offset;
            self.damaged(&format!("the chain of {id} is broken at offset {offset}"));
        }
        head.record = header.previous_record;
        head.append(header.offset, header.kind, header.sequence);
        self.heads.insert(id, head);
        Ok(())
    }

    /// The head of an entity before the entry at hand.
    fn head(&mut self, id: &PersistenceId) -> Result<Option<EntityHead>, SqliteError> {
        if let Some(head) = self.heads.get(id) {
            return Ok(Some(*head));
        }
        match EntityHead::stored(self.conn, id)? {
            Some(Ok(head)) => Ok(Some(head)),
            None => Ok(None),
            Some(Err(_)) => match scan(self.conn, id, self.last.saturating_sub(1)) {
                Ok(head) => Ok(Some(head)),
                Err(ReadError::Sqlite(error)) => Err(error),
                Err(ReadError::Damaged { offset, .. }) => {
                    self.damaged(&format!("the chain of {id} is broken at offset {offset}"));
                    Ok(None)
                }
            },
        }
    }

    fn snapshots(&mut self, watermark: i64) -> Result<(), SqliteError> {
        let sql = "SELECT offset, type, id FROM snapshots WHERE offset > ?1 ORDER BY offset";
        let mut statement = self.conn.prepare(sql)?;
        let mut rows = statement.query([watermark])?;
        while let Some(row) = rows.next()? {
            // A damaged row finds no entity here, or the load that meets it leaves it out.
            let (Ok(offset), Ok(entity_type), Ok(id)) =
                (number(row, 0), text(row, 1), text(row, 2))
            else {
                continue;
            };
            let id = PersistenceId::new(entity_type.to_owned(), id);
            if let Some(head) = self.heads.get_mut(&id)
                && offset <= head.position
            {
                head.snapshot = head.snapshot.max(offset);
            }
        }
        Ok(())
    }

    fn damaged(&mut self, what: &str) {
        if self.damage.is_none() {
            let message = format!("{what}; the store answers reads only, salvage it");
            self.damage = Some(SqliteError::own(FailureKind::ReadOnly, message));
        }
    }
}

/// The head of one entity from all its entries up to `end`: slow, for when its row is damaged.
pub(super) fn scan(
    conn: &Connection,
    id: &PersistenceId,
    end: u64,
) -> Result<EntityHead, ReadError> {
    tracing::warn!(entity = %id.entity_type(), id = id.id(), "its head is damaged: scanning the journal");
    let sql = format!(
        "SELECT {HEADER} FROM journal WHERE type = ?1 AND id = ?2 AND offset <= ?3 ORDER BY offset"
    );
    let mut statement = conn.prepare(&sql)?;
    let names = params![id.entity_type().as_str(), id.id(), to_sql(end)];
    let mut rows = statement.query(names)?;
    let mut head = EntityHead::default();
    while let Some(row) = rows.next()? {
        let offset = number(row, 0).unwrap_or(0);
        let header = Header::read(row)
            .map_err(|Damage(what)| ReadError::damaged(offset, head.sequence + 1, what))?;
        if header.previous != head.position || header.sequence_before() < head.sequence {
            let what = "an entry before it is missing";
            return Err(ReadError::damaged(offset, head.sequence + 1, what));
        }
        head.append(header.offset, header.kind, header.sequence);
    }
    let sql = "SELECT max(offset) FROM snapshots WHERE type = ?1 AND id = ?2 AND offset <= ?3";
    let names = params![id.entity_type().as_str(), id.id(), to_sql(head.position)];
    let snapshot: Option<i64> = conn.query_row(sql, names, |row| row.get(0))?;
    head.snapshot = snapshot.and_then(super::number::from_sql).unwrap_or(0);
    Ok(head)
}
