//! Appending one member's entries to the journal.

use rusqlite::{CachedStatement, Connection, params};

use super::checksum::Checksum;
use super::deferred;
use super::head::EntityHead;
use super::kind::Kind;
use super::number::to_sql;
use super::row::{Body, EventColumns, Header, RecordColumns, SkipColumns};
use crate::{Member, NewEvent, NewRecord, NewSnapshot, PersistenceId, StateChange};

/// Appends inside a transaction of the caller.
pub(super) struct Appender<'c> {
    conn: &'c Connection,
    /// The last offset given out.
    last: u64,
    /// The statement of the usual case, once it has been needed.
    insert_event: Option<CachedStatement<'c>>,
}

impl<'c> Appender<'c> {
    /// Goes on after the entry at `last`.
    pub(super) fn new(conn: &'c Connection, last: u64) -> Self {
        Self {
            conn,
            last,
            insert_event: None,
        }
    }

    /// The last offset given out.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Appends everything that a member holds. Its expected sequence number has been checked.
    pub(super) fn member(
        &mut self,
        member: &Member,
        mut head: EntityHead,
    ) -> rusqlite::Result<EntityHead> {
        let common = Body {
            time: member.time.as_millis(),
            metadata: &member.metadata,
            ..Body::default()
        };
        let before = head.position;
        let record = member.record.as_ref().map(record_columns);
        for (index, event) in member.events.iter().enumerate() {
            let is_last = index + 1 == member.events.len() && member.state.is_none();
            let body = Body {
                event: Some(event_columns(event)),
                record: record.filter(|_| is_last),
                ..common
            };
            self.entry(&member.id, &mut head, Kind::Event, &body)?;
        }
        if let Some(change) = member.state.as_deref() {
            let body = Body { record, ..common };
            self.state(&member.id, &mut head, change, &body)?;
        } else if let Some(snapshot) = member
            .snapshot
            .as_ref()
            .filter(|_| !member.events.is_empty())
        {
            self.snapshot(&member.id, &mut head, snapshot)?;
        }
        if record.is_some() && member.events.is_empty() && member.state.is_none() {
            let body = Body { record, ..common };
            self.entry(&member.id, &mut head, Kind::Record, &body)?;
        }
        if let Some(skip) = &member.skip {
            let skip = SkipColumns {
                sequence: skip.sequence.get(),
                reason: &skip.reason,
            };
            let body = Body {
                skip: Some(skip),
                ..common
            };
            self.entry(&member.id, &mut head, Kind::Skip, &body)?;
        }
        if let Some(deferred) = &member.deferred {
            if deferred.sends() && head.position == before {
                self.entry(&member.id, &mut head, Kind::Sent, &common)?;
            }
            deferred::append(self.conn, deferred, &member.id, member.time, head.position)?;
        }
        Ok(head)
    }

    /// Appends a whole state or a deletion, and removes the snapshot that it makes superfluous.
    fn state(
        &mut self,
        id: &PersistenceId,
        head: &mut EntityHead,
        change: &StateChange,
        body: &Body<'_>,
    ) -> rusqlite::Result<()> {
        self.remove_snapshot(head)?;
        match change {
            StateChange::Put(state) => {
                let shape = shape_text(state.shape);
                let body = Body {
                    event: Some(EventColumns {
                        name: &shape,
                        version: state.version,
                        codec: state.codec,
                        payload: &state.payload,
                    }),
                    ..*body
                };
                self.entry(id, head, Kind::State, &body)
            }
            StateChange::Delete => self.entry(id, head, Kind::Deleted, body),
        }
    }

    /// Appends one entry after `head` and moves the head on. With a record in it, it is a keyed one.
    pub(super) fn entry(
        &mut self,
        id: &PersistenceId,
        head: &mut EntityHead,
        kind: Kind,
        body: &Body<'_>,
    ) -> rusqlite::Result<()> {
        let kind = if body.record.is_some() {
            kind.keyed()
        } else {
            kind
        };
        let sequence = head.sequence + u64::from(kind.advances());
        self.entry_at(id, head, (kind, sequence), body)
    }

    /// As [`entry`](Self::entry), with a sequence number that may leave a gap (salvage).
    pub(super) fn entry_at(
        &mut self,
        id: &PersistenceId,
        head: &mut EntityHead,
        (kind, sequence): (Kind, u64),
        body: &Body<'_>,
    ) -> rusqlite::Result<()> {
        let header = Header {
            offset: self.last + 1,
            entity_type: id.entity_type().as_str(),
            id: id.id(),
            kind,
            slice: id.slice(),
            sequence,
            previous: head.position,
            previous_record: head.record,
        };
        match (kind, &body.event) {
            (Kind::Event, Some(event)) => self.insert_event(&header, body, event)?,
            _ => self.insert_any(&header, body)?,
        }
        head.append(header.offset, kind, sequence);
        self.last = header.offset;
        Ok(())
    }

    /// The usual case: fewer values to bind.
    fn insert_event(
        &mut self,
        header: &Header<'_>,
        body: &Body<'_>,
        event: &EventColumns<'_>,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO journal (kind, offset, slice, type, id, sequence, previous, \
                   previous_record, header_sum, time, name, version, codec, metadata, payload, \
                   body_sum) \
                   VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
        let header_sum = header.sum();
        let insert = match &mut self.insert_event {
            Some(insert) => insert,
            none => none.insert(self.conn.prepare_cached(sql)?),
        };
        insert.execute(params![
            to_sql(header.offset),
            header.slice.get(),
            header.entity_type,
            header.id,
            to_sql(header.sequence),
            to_sql(header.previous),
            to_sql(header.previous_record),
            header_sum,
            body.time,
            event.name,
            event.version,
            event.codec,
            some(body.metadata),
            event.payload,
            body.sum(header_sum),
        ])?;
        Ok(())
    }

    fn insert_any(&self, header: &Header<'_>, body: &Body<'_>) -> rusqlite::Result<()> {
        let sql = "INSERT INTO journal (kind, offset, slice, type, id, sequence, previous, \
                   previous_record, header_sum, time, metadata, name, version, codec, payload, \
                   record_key, record_fingerprint, record_outcome, skips, reason, body_sum) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, \
                   ?16, ?17, ?18, ?19, ?20, ?21)";
        let header_sum = header.sum();
        let (event, record, skip) = (body.event, body.record, body.skip);
        self.conn.prepare_cached(sql)?.execute(params![
            header.kind as u8,
            to_sql(header.offset),
            header.slice.get(),
            header.entity_type,
            header.id,
            to_sql(header.sequence),
            to_sql(header.previous),
            to_sql(header.previous_record),
            header_sum,
            body.time,
            some(body.metadata),
            event.map(|event| event.name),
            event.map(|event| event.version),
            event.map(|event| event.codec),
            event.map(|event| event.payload),
            record.map(|record| record.key),
            record.map(|record| record.fingerprint.to_be_bytes()),
            record.map(|record| record.outcome),
            skip.map(|skip| to_sql(skip.sequence)),
            skip.map(|skip| skip.reason),
            body.sum(header_sum),
        ])?;
        Ok(())
    }

    /// Stores the state after the entity's last event and removes the one before it.
    pub(super) fn snapshot(
        &self,
        id: &PersistenceId,
        head: &mut EntityHead,
        snapshot: &NewSnapshot,
    ) -> rusqlite::Result<()> {
        self.remove_snapshot(head)?;
        let sql = "INSERT INTO snapshots (offset, type, id, sequence, shape, codec, payload, sum) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        self.conn.prepare_cached(sql)?.execute(params![
            to_sql(head.position),
            id.entity_type().as_str(),
            id.id(),
            to_sql(head.sequence),
            snapshot.shape.to_be_bytes(),
            snapshot.codec,
            snapshot.payload,
            snapshot_sum(id, head.position, head.sequence, snapshot),
        ])?;
        head.snapshot = head.position;
        Ok(())
    }

    fn remove_snapshot(&self, head: &EntityHead) -> rusqlite::Result<()> {
        if head.snapshot != 0 {
            self.conn
                .prepare_cached("DELETE FROM snapshots WHERE offset = ?1")?
                .execute([to_sql(head.snapshot)])?;
        }
        Ok(())
    }
}

/// How the hash of a shape is stored with a state.
pub(super) fn shape_text(shape: u128) -> String {
    format!("{shape:032x}")
}

/// The checksum of a snapshot as it is stored.
pub(super) fn snapshot_sum(
    id: &PersistenceId,
    offset: u64,
    sequence: u64,
    snapshot: &NewSnapshot,
) -> i64 {
    Checksum::of([offset, sequence, u64::from(snapshot.codec)])
        .field(id.entity_type().as_str().as_bytes())
        .field(id.id().as_bytes())
        .field(&snapshot.shape.to_be_bytes())
        .field(&snapshot.payload)
        .stored()
}

fn event_columns(event: &NewEvent) -> EventColumns<'_> {
    EventColumns {
        name: &event.name,
        version: event.version,
        codec: event.codec,
        payload: &event.payload,
    }
}

fn record_columns(record: &NewRecord) -> RecordColumns<'_> {
    RecordColumns {
        key: &record.key,
        fingerprint: record.fingerprint,
        outcome: &record.outcome,
    }
}

/// Nothing is stored as NULL: it costs no byte.
fn some(bytes: &[u8]) -> Option<&[u8]> {
    (!bytes.is_empty()).then_some(bytes)
}
