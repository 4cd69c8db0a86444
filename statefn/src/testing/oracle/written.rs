//! The journal as the oracle reads it.

use std::collections::BTreeMap;

use statefn_store::{Entry, EntryBody, Offset, PersistenceId, SequenceNumber};

use super::violation::Violation;
use crate::codec::Codec;
use crate::metadata::Metadata;

/// The header under which a call carries the number of its attempt into the journal.
pub const ATTEMPT_HEADER: &str = "statefn-attempt";

/// One journal entry, as far as the oracle is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Who wrote it.
    pub entity: PersistenceId,
    /// The entity's sequence number after the entry.
    pub sequence: SequenceNumber,
    /// Its place in the store.
    pub offset: Offset,
    /// Whether it is an event, a state or a deletion: those advance the sequence number, records and
    /// skips do not.
    pub is_event: bool,
    /// The attempt that wrote it, if it said.
    pub attempt: Option<u64>,
    /// When it was committed, on the callers' clock. Without it the oracle still checks that
    /// nothing was answered that was never committed.
    pub committed: Option<u64>,
}

impl Written {
    /// What a store answered to [`Store::read`](statefn_store::Store::read).
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use statefn::Offset;
    /// use statefn::store::Store;
    /// use statefn::testing::oracle::{ATTEMPT_HEADER, Written};
    ///
    /// let store = Memory::new();
    /// let runtime = Runtime::builder().store(store.clone()).only::<(Counter,)>().build().await?;
    /// runtime.entity::<Counter>("visits").add(2).with_metadata(ATTEMPT_HEADER, "7").await?;
    ///
    /// let journal: Vec<_> = store.read(Offset::ZERO, 100).await?.iter().map(Written::of).collect();
    /// assert_eq!(journal[0].attempt, Some(7));
    /// # Ok(())
    /// # }
    /// ```
    pub fn of(entry: &Entry) -> Self {
        Self {
            entity: entry.id.clone(),
            sequence: entry.sequence,
            offset: entry.offset,
            is_event: matches!(
                entry.body,
                EntryBody::Event { .. } | EntryBody::State { .. } | EntryBody::Deleted { .. }
            ),
            attempt: attempt(&entry.metadata),
            committed: None,
        }
    }
}

fn attempt(metadata: &[u8]) -> Option<u64> {
    let metadata: Metadata = Codec::Bincode.decode(metadata).ok()?;
    metadata.get(ATTEMPT_HEADER)?.parse().ok()
}

/// The events of one attempt.
pub(super) struct Block {
    pub(super) entity: PersistenceId,
    pub(super) first: SequenceNumber,
    pub(super) last: SequenceNumber,
    last_offset: Offset,
    /// When the last of them was committed.
    pub(super) committed: Option<u64>,
    /// Whether they follow each other, in the entity's journal and in the store.
    pub(super) whole: bool,
}

impl Block {
    pub(super) fn events(&self) -> u64 {
        (self.last.get() + 1).saturating_sub(self.first.get())
    }

    fn extend(&mut self, written: &Written) {
        self.whole &= written.entity == self.entity
            && written.sequence == self.last.next()
            && written.offset == self.last_offset.next();
        self.last = written.sequence;
        self.last_offset = written.offset;
        self.committed = self.committed.max(written.committed);
    }
}

/// Blocks by attempt.
pub(super) struct Blocks(BTreeMap<u64, Block>);

impl Blocks {
    pub(super) fn of(journal: &[Written]) -> Self {
        let mut blocks: BTreeMap<u64, Block> = BTreeMap::new();
        for written in journal.iter().filter(|written| written.is_event) {
            let Some(attempt) = written.attempt else {
                continue;
            };
            blocks
                .entry(attempt)
                .and_modify(|block| block.extend(written))
                .or_insert_with(|| Block {
                    entity: written.entity.clone(),
                    first: written.sequence,
                    last: written.sequence,
                    last_offset: written.offset,
                    committed: written.committed,
                    whole: true,
                });
        }
        Self(blocks)
    }

    pub(super) fn get(&self, attempt: u64) -> Option<&Block> {
        self.0.get(&attempt)
    }
}

/// Offsets and sequence numbers that do not follow each other.
pub(super) fn gaps(journal: &[Written]) -> Vec<Violation> {
    let mut ends: BTreeMap<&PersistenceId, SequenceNumber> = BTreeMap::new();
    let mut expected = Offset::ZERO;
    let mut violations = Vec::new();
    for written in journal {
        expected = expected.next();
        let end = ends.entry(&written.entity).or_default();
        let follows = if written.is_event { end.next() } else { *end };
        *end = written.sequence;
        if written.offset != expected || written.sequence != follows {
            expected = written.offset;
            violations.push(Violation::Gap {
                entity: written.entity.clone(),
                sequence: written.sequence,
                offset: written.offset,
            });
        }
    }
    violations
}
