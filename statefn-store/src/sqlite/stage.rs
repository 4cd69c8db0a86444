//! What a transaction appends: every member judged, then written, in the order in which it came.

use std::collections::HashSet;

use rusqlite::Connection;

use super::append::Appender;
use super::deferred;
use super::failure::{ReadError, SqliteError};
use super::head::EntityHead;
use super::heads::{HeadCache, HeadMap};
use super::rebuild::scan;
use super::shared::Shared;
use crate::{Batch, Member, Offset, Outcome, OwnerEpoch, PersistenceId, Refusal, SequenceNumber};

/// What became of a batch in a transaction that committed.
pub(super) enum Answer {
    Outcomes(Vec<Outcome>),
    Fenced { current: OwnerEpoch },
}

/// A transaction being written; nobody sees what it changes before COMMIT.
pub(super) struct Stage<'j> {
    conn: &'j Connection,
    shared: &'j Shared,
    cache: &'j mut HeadCache,
    appender: Appender<'j>,
    /// The last offset of the transaction before.
    base: u64,
    heads: HeadMap,
}

impl<'j> Stage<'j> {
    /// Goes on after the committed entry at `last`.
    pub(super) fn new(
        conn: &'j Connection,
        shared: &'j Shared,
        cache: &'j mut HeadCache,
        last: u64,
    ) -> Self {
        Self {
            conn,
            shared,
            cache,
            appender: Appender::new(conn, last),
            base: last,
            heads: HeadMap::default(),
        }
    }

    /// Writes a batch, unless an owner before `epoch` sends it.
    pub(super) fn batch(&mut self, batch: &Batch, epoch: u64) -> Result<Answer, SqliteError> {
        if batch.epoch.get() != epoch {
            let current = OwnerEpoch::new(epoch);
            return Ok(Answer::Fenced { current });
        }
        let mut outcomes = Vec::with_capacity(batch.members.len());
        let mut refused = HashSet::new();
        for member in &batch.members {
            if !refused.is_empty() && refused.contains(&member.id) {
                outcomes.push(Outcome::Refused(Refusal::Overtaken));
                continue;
            }
            let outcome = self.member(member)?;
            if matches!(outcome, Outcome::Refused(_)) {
                refused.insert(&member.id);
            }
            outcomes.push(outcome);
        }
        Ok(Answer::Outcomes(outcomes))
    }

    fn member(&mut self, member: &Member) -> Result<Outcome, SqliteError> {
        let head = match self.heads.get(&member.id) {
            Some(head) => Some(*head),
            None => self.head(&member.id)?,
        };
        // Judged before anything of the member is written: a conflict costs one member.
        let head = match head {
            Some(head) if head.sequence == member.expected.get() => head,
            head => {
                // A head that cannot be known matches nothing; the load says what is damaged.
                let actual = head.map_or(u64::MAX, |head| head.sequence);
                return Ok(Outcome::Refused(Refusal::Stale {
                    expected: member.expected,
                    actual: SequenceNumber::new(actual),
                }));
            }
        };
        if let Some(call) = member.deferred.as_ref().and_then(|d| d.settles.as_ref())
            && !deferred::has(self.conn, call)?
        {
            return Ok(Outcome::Refused(Refusal::Settled));
        }
        let moved = self.appender.member(member, head)?;
        if moved != head {
            self.heads.insert(member.id.clone(), moved);
        }
        let position = Offset::new(moved.position);
        Ok(Outcome::Committed { position })
    }

    /// The committed head of an entity; `None` when its chain is damaged.
    pub(super) fn head(&mut self, id: &PersistenceId) -> Result<Option<EntityHead>, SqliteError> {
        if let Some(head) = self.shared.unmerged(id).or_else(|| self.cache.get(id)) {
            return Ok(Some(head));
        }
        let head = match EntityHead::stored(self.conn, id)? {
            None => EntityHead::default(),
            Some(Ok(head)) => head,
            Some(Err(_)) => match scan(self.conn, id, self.base) {
                Ok(head) => head,
                Err(ReadError::Sqlite(error)) => return Err(error),
                Err(ReadError::Damaged { .. }) => return Ok(None),
            },
        };
        self.cache.put(id.clone(), head);
        Ok(Some(head))
    }

    /// How many entries it has appended so far.
    pub(super) fn entries(&self) -> usize {
        usize::try_from(self.appender.last() - self.base).unwrap_or(usize::MAX)
    }

    /// The heads that have moved, and the last offset given out.
    pub(super) fn finish(self) -> (HeadMap, u64) {
        (self.heads, self.appender.last())
    }
}
