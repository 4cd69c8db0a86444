//! An entity's chain: walked backward from its head, replayed forward, in bounded memory.

use std::collections::HashSet;

use rusqlite::{CachedStatement, Connection};

use super::entry::{Start, entry_at, event, state};
use super::failure::ReadError;
use super::head::EntityHead;
use super::kind::Kind;
use super::limits::LOAD_BUFFER_BYTES;
use super::number::to_sql;
use super::positions::Positions;
use super::row::{Body, Damage, ENTRY_AT, HEADER_AT, Header};
use crate::{EventRef, NewEvent, Offset, PersistenceId, Replay, SequenceNumber, Timestamp};

/// The events of an entity after a point, found and checked but not handed over yet.
pub(super) struct Chain {
    /// The walk goes on at this entry, behind the event of this sequence number.
    at: u64,
    sequence: u64,
    after: Start,
    /// The newest events, newest first.
    kept: Vec<Kept>,
    kept_bytes: usize,
    /// The older ones, read again during the replay.
    older: Positions,
    skips: HashSet<u64>,
    /// The state or deletion with which the replay begins, if it does.
    whole: Option<u64>,
    /// The head's sequence number.
    last: u64,
}

struct Kept {
    offset: u64,
    sequence: u64,
    time: Timestamp,
    metadata: Vec<u8>,
    event: NewEvent,
}

/// What the walk learns from one entry.
struct Link {
    sequence: u64,
    before: u64,
    previous: u64,
    kind: Kind,
}

/// Reads one entry after another with one statement, which is looked up once.
struct Entries<'a> {
    conn: &'a Connection,
    statement: CachedStatement<'a>,
    /// Whether it reads more than headers.
    whole: bool,
}

impl<'a> Entries<'a> {
    fn new(conn: &'a Connection, whole: bool) -> rusqlite::Result<Self> {
        let sql = if whole { &ENTRY_AT } else { &HEADER_AT };
        let statement = conn.prepare_cached(sql)?;
        Ok(Self {
            conn,
            statement,
            whole,
        })
    }
}

impl Chain {
    /// The chain of an entity, of which nothing has been read.
    pub(super) fn new(head: &EntityHead, after: Start) -> Self {
        Self {
            at: head.position,
            sequence: head.sequence,
            after,
            kept: Vec::new(),
            kept_bytes: 0,
            older: Positions::default(),
            skips: HashSet::new(),
            whole: None,
            last: head.sequence,
        }
    }

    /// Walks back to the newest state or deletion, or to where the events begin, and checks every
    /// link. `false` if the budget of entries has come to its end before.
    pub(super) fn walk(
        &mut self,
        conn: &Connection,
        id: &PersistenceId,
        budget: &mut u64,
    ) -> Result<bool, ReadError> {
        let mut entries = Entries::new(conn, self.has_room())?;
        while self.at > self.after.offset {
            if *budget == 0 {
                return Ok(false);
            }
            *budget -= 1;
            let (at, sequence) = (self.at, self.sequence);
            if entries.whole && !self.has_room() {
                entries = Entries::new(conn, false)?;
            }
            let link = self.visit(&mut entries, id)?;
            if link.sequence > sequence {
                return Err(ReadError::damaged(at, sequence, "the chain runs backward"));
            }
            self.must_be_skipped(at, link.sequence, sequence)?;
            let counts = link.kind.advances() && !self.skips.contains(&link.sequence);
            if counts && link.kind.is_whole() {
                self.whole = Some(at);
                self.after.sequence = link.sequence;
                return Ok(true);
            }
            if counts && link.kind.is_erased() {
                return Err(ReadError::damaged(at, link.sequence, "it was erased"));
            }
            if counts && !self.keeps(at) {
                self.older.push(at);
            }
            (self.at, self.sequence) = (link.previous, link.before);
        }
        let (at, sequence) = (self.at, self.sequence);
        if at != self.after.offset {
            let what = "the chain passes by the snapshot";
            return Err(ReadError::damaged(at, sequence, what));
        }
        self.must_be_skipped(at, self.after.sequence, sequence)?;
        Ok(true)
    }

    fn has_room(&self) -> bool {
        self.kept_bytes < LOAD_BUFFER_BYTES
    }

    /// Reads the next entry; keeps it, if it is read whole.
    fn visit(&mut self, entries: &mut Entries<'_>, id: &PersistenceId) -> Result<Link, ReadError> {
        let (at, sequence) = (self.at, self.sequence);
        let damaged = |Damage(what)| ReadError::damaged(at, sequence, what);
        let mut rows = entries.statement.query([to_sql(at)])?;
        let Some(row) = rows.next()? else {
            return Err(damaged(Damage("it is missing")));
        };
        let header = Header::of(row, id)
            .and_then(|header| header.ok_or(Damage("it belongs to another entity")))
            .map_err(damaged)?;
        if header.kind == Kind::Skip {
            self.skip(entries.conn, id, &header)?;
        } else if entries.whole && header.kind.is_event() && !self.skips.contains(&header.sequence)
        {
            let body = Body::read(row, &header).map_err(damaged)?;
            self.keep(&header, &body);
        }
        Ok(Link {
            sequence: header.sequence,
            before: header.sequence_before(),
            previous: header.previous,
            kind: header.kind,
        })
    }

    fn skip(
        &mut self,
        conn: &Connection,
        id: &PersistenceId,
        header: &Header<'_>,
    ) -> Result<(), ReadError> {
        let skipped = entry_at(conn, id, header.offset, |_, body| {
            Ok(body.skip.map(|skip| skip.sequence))
        })?;
        self.skips.extend(skipped);
        Ok(())
    }

    fn keep(&mut self, header: &Header<'_>, body: &Body<'_>) {
        let Some(event) = event(header, body) else {
            return;
        };
        self.kept_bytes += event.payload.len() + event.metadata.len() + size_of::<Kept>();
        self.kept.push(Kept {
            offset: header.offset,
            sequence: header.sequence,
            time: event.time,
            metadata: event.metadata.to_vec(),
            event: NewEvent {
                name: event.name.to_owned().into(),
                version: event.version,
                codec: event.codec,
                payload: event.payload.to_vec(),
            },
        });
    }

    fn keeps(&self, offset: u64) -> bool {
        self.kept.last().is_some_and(|kept| kept.offset == offset)
    }

    /// Sequence numbers after `from` up to `to` have no entry: an operator must have left them out.
    fn must_be_skipped(&self, at: u64, from: u64, to: u64) -> Result<(), ReadError> {
        match (from + 1..=to).find(|sequence| !self.skips.contains(sequence)) {
            None => Ok(()),
            Some(sequence) => Err(ReadError::damaged(at, sequence, "an event is missing")),
        }
    }

    /// Hands the events over, oldest first.
    pub(super) fn replay(
        mut self,
        conn: &Connection,
        id: &PersistenceId,
        replay: &mut dyn Replay,
    ) -> Result<(), ReadError> {
        if let Some(offset) = self.whole {
            let flow = entry_at(conn, id, offset, |header, body| {
                let state = state(header, body)?.ok_or(Damage("it is no state"))?;
                Ok(replay.state(state))
            })?;
            if flow.is_break() {
                return Ok(());
            }
        }
        let mut next = self.after.sequence + 1;
        while let Some(offset) = self.older.pop() {
            let flow = entry_at(conn, id, offset, |header, body| {
                let event = event(header, body).ok_or(Damage("it is no event"))?;
                Ok(deliver(replay, &mut next, event))
            })?;
            if flow.is_break() {
                return Ok(());
            }
        }
        while let Some(kept) = self.kept.pop() {
            if deliver(replay, &mut next, kept.event()).is_break() {
                return Ok(());
            }
        }
        (next..=self.last).for_each(|sequence| replay.skipped(SequenceNumber::new(sequence)));
        Ok(())
    }
}

/// The record before the event at `offset`, if an operator has left that event out.
pub(super) fn record_before_skipped(
    conn: &Connection,
    id: &PersistenceId,
    head: &EntityHead,
    offset: u64,
) -> Result<Option<u64>, ReadError> {
    let mut statement = conn.prepare_cached(&HEADER_AT)?;
    let mut skips = HashSet::new();
    let mut at = if head.skip > offset { head.position } else { 0 };
    while at >= offset && at != 0 {
        let damaged = |Damage(what)| ReadError::damaged(at, 0, what);
        let mut rows = statement.query([to_sql(at)])?;
        let Some(row) = rows.next()? else {
            return Err(damaged(Damage("it is missing")));
        };
        let header = Header::of(row, id)
            .and_then(|header| header.ok_or(Damage("it belongs to another entity")))
            .map_err(damaged)?;
        if at == offset {
            let skipped = header.kind.advances() && skips.contains(&header.sequence);
            return Ok(skipped.then_some(header.previous_record));
        }
        if header.kind == Kind::Skip {
            skips.extend(entry_at(conn, id, at, |_, body| {
                Ok(body.skip.map(|skip| skip.sequence))
            })?);
        }
        at = header.previous;
    }
    Ok(None)
}

/// Hands over one event, and before it whatever was left out before it.
fn deliver(
    replay: &mut dyn Replay,
    next: &mut u64,
    event: EventRef<'_>,
) -> std::ops::ControlFlow<()> {
    let sequence = event.sequence.get();
    (*next..sequence).for_each(|sequence| replay.skipped(SequenceNumber::new(sequence)));
    *next = sequence + 1;
    replay.event(event)
}

impl Kept {
    fn event(&self) -> EventRef<'_> {
        EventRef {
            offset: Offset::new(self.offset),
            sequence: SequenceNumber::new(self.sequence),
            time: self.time,
            name: &self.event.name,
            version: self.event.version,
            codec: self.event.codec,
            metadata: &self.metadata,
            payload: &self.event.payload,
        }
    }
}
