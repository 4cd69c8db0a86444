//! One clause's run: a store under test beside the model of what it must answer.

use std::fmt::Debug;
use std::sync::Arc;

use super::draft::Draft;
use super::model::Model;
use super::tape::{Heard, Tape, Wish};
use crate::testing::Fixture;
use crate::{
    Batch, CommitError, Entry, Head, LoadError, Member, Offset, OutboxNumber, Outcome, OwnerEpoch,
    PersistenceId, SequenceNumber, Store, Tending, Timestamp,
};

/// An open and claimed store, and the model.
pub(super) struct Trial<'a> {
    pub(super) fixture: &'a dyn Fixture,
    pub(super) store: Arc<dyn Store>,
    pub(super) epoch: OwnerEpoch,
    pub(super) model: Model,
}

impl<'a> Trial<'a> {
    /// Opens the fixture's store and claims it.
    pub(super) async fn open(fixture: &'a dyn Fixture) -> Self {
        let store = fixture.open().await;
        let epoch = claim(&*store).await;
        Self {
            fixture,
            store,
            epoch,
            model: Model::default(),
        }
    }

    /// Closes the store and opens it again.
    pub(super) async fn reopen(&mut self) {
        self.close().await;
        self.open_again().await;
    }

    /// Opens the store again after a close or a crash.
    pub(super) async fn open_again(&mut self) {
        self.store = self.fixture.open().await;
        self.epoch = claim(&*self.store).await;
    }

    pub(super) async fn close(&self) {
        let closed = self.store.close().await;
        assert!(closed.is_ok(), "close failed: {closed:?}");
    }

    /// The next member of an entity, as the model expects it.
    pub(super) fn next(&self, id: &PersistenceId) -> Draft {
        Draft::new(id, self.model.head(id).sequence.get())
    }

    /// A batch under the trial's epoch.
    pub(super) fn batch(&self, members: &[Member]) -> Batch {
        Batch {
            epoch: self.epoch,
            members: members.to_vec(),
        }
    }

    /// Commits, and compares the outcomes with the model's.
    pub(super) async fn commit(&mut self, members: Vec<Member>) -> Vec<Outcome> {
        let outcomes = self.store.commit(self.batch(&members)).await;
        let outcomes = match outcomes {
            Ok(outcomes) => outcomes,
            Err(error) => panic!("a commit failed: {error:?}"),
        };
        let expected = self.model.append_all(&members);
        same(&outcomes, &expected, "outcomes of a batch");
        outcomes
    }

    /// Erases an entity's past, and compares the count with the model's.
    pub(super) async fn erase(&mut self, id: &PersistenceId, records_from: Timestamp) -> u64 {
        match self.store.erase(self.epoch, id, records_from).await {
            Ok(erased) => {
                let expected = self.model.erase(id, records_from);
                assert_eq!(erased, expected, "entries of {id:?} that were erased");
                erased
            }
            Err(error) => panic!("{id:?} cannot be erased: {error:?}"),
        }
    }

    /// Commits a batch that the store must refuse whole, and returns how.
    pub(super) async fn refused(&self, batch: Batch) -> CommitError {
        match self.store.commit(batch).await {
            Ok(outcomes) => panic!("a batch was answered with {outcomes:?}, not refused whole"),
            Err(error) => error,
        }
    }

    /// Loads an entity.
    pub(super) async fn load(&self, id: &PersistenceId, wish: Wish) -> (Head, Vec<Heard>) {
        load(&*self.store, id, wish).await
    }

    /// Loads an entity that is damaged, and returns the offset and the sequence number named.
    pub(super) async fn damage_of(
        &self,
        id: &PersistenceId,
        wish: Wish,
    ) -> (Offset, SequenceNumber) {
        match self.store.load(id, Tape::boxed(wish)).await {
            Ok(_) => panic!("{id:?} is damaged, but was loaded"),
            Err(error) => corrupt(&error),
        }
    }

    /// A page of the journal.
    pub(super) async fn read(&self, from: u64, limit: usize) -> Vec<Entry> {
        match self.store.read(Offset::new(from), limit).await {
            Ok(entries) => entries,
            Err(error) => panic!("a read from {from} failed: {error:?}"),
        }
    }

    /// The journal from an offset on, in as many pages as the store makes of it.
    pub(super) async fn read_all(&self, from: u64) -> Vec<Entry> {
        read_all(&*self.store, from).await
    }

    /// Compares one entity with the model.
    pub(super) async fn check_entity(&self, id: &PersistenceId) {
        for wish in [Wish::ALL, Wish::ALL_EVENTS] {
            let (head, calls) = self.load(id, wish).await;
            assert_eq!(head, self.model.head(id), "the head of {id:?}");
            let what = format!("the replay of {id:?} under {wish:?}");
            same(&calls, &self.model.replay(id, wish), &what);
        }
        let newest = self.model.head(id).record;
        for key in self.model.keys(id) {
            let found = self.store.find_record(id, &key, newest).await;
            let expected = self.model.find_record(id, &key, newest);
            match found {
                Ok(found) => assert_eq!(found, expected, "the record {key:?} of {id:?}"),
                Err(error) => panic!("the record {key:?} of {id:?}: {error:?}"),
            }
        }
    }

    /// Compares everything that the store answers with the model.
    pub(super) async fn check(&self) {
        let entries = self.read_all(0).await;
        same(&entries, &self.model.entries, "the journal");
        let entities = self.store.entities(None, usize::MAX).await;
        let Ok(entities) = entities else {
            panic!("the entities cannot be listed: {entities:?}");
        };
        same(&entities, &self.model.entities(), "the entities");
        let types = self.store.entity_types().await;
        let Ok(types) = types else {
            panic!("the entity types cannot be listed: {types:?}");
        };
        same(&types, &self.model.entity_types(), "the entity types");
        for id in entities {
            self.check_entity(&id).await;
        }
        self.check_calls().await;
    }

    /// Changes stored calls outside a command, and compares the answers with the model's.
    pub(super) async fn tend(&mut self, changes: Vec<Tending>) {
        let expected: Vec<bool> = changes.iter().map(|c| self.model.calls.tend(c)).collect();
        let done = self.store.tend(self.epoch, changes).await;
        let Ok(done) = done else {
            panic!("a change of stored calls failed: {done:?}");
        };
        assert_eq!(done, expected, "changes of stored calls");
    }

    /// Compares the stored calls with the model's.
    async fn check_calls(&self) {
        let (from, all) = (OutboxNumber::ZERO, usize::MAX);
        let effects = self.store.effects(from, all).await;
        let dead = self.store.dead_letters(from, all).await;
        let timers = self
            .store
            .timers(Timestamp::from_millis(i64::MAX), all)
            .await;
        let (Ok(effects), Ok(dead), Ok(timers)) = (effects, dead, timers) else {
            panic!("the stored calls cannot be read");
        };
        same(&effects, &self.model.calls.effects, "the effects");
        same(&dead, &self.model.calls.dead, "the dead letters");
        same(&timers, &self.model.calls.timers(), "the timers");
    }
}

/// Claims a store.
pub(super) async fn claim(store: &dyn Store) -> OwnerEpoch {
    match store.claim().await {
        Ok(epoch) => epoch,
        Err(error) => panic!("a claim failed: {error:?}"),
    }
}

/// Loads an entity from any store.
pub(super) async fn load(store: &dyn Store, id: &PersistenceId, wish: Wish) -> (Head, Vec<Heard>) {
    match store.load(id, Tape::boxed(wish)).await {
        Ok(loaded) => (loaded.head, Tape::of(loaded)),
        Err(error) => panic!("{id:?} cannot be loaded: {error:?}"),
    }
}

/// Reads a journal up to the first empty page; a page may be shorter than was asked for.
pub(super) async fn read_all(store: &dyn Store, from: u64) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let next = entries
            .last()
            .map_or(Offset::new(from), |entry| entry.offset.next());
        match store.read(next, usize::MAX).await {
            Ok(page) if page.is_empty() => return entries,
            Ok(page) => entries.extend(page),
            Err(error) => panic!("a read from {next} failed: {error:?}"),
        }
    }
}

/// The place that an error calls damaged.
pub(super) fn corrupt(error: &LoadError) -> (Offset, SequenceNumber) {
    match error {
        LoadError::Corrupt {
            offset, sequence, ..
        } => (*offset, *sequence),
        LoadError::Unavailable(_) => panic!("damage was answered with {error:?}"),
    }
}

/// Compares two lists and shows the first difference, not megabytes of both.
pub(super) fn same<T: PartialEq + Debug>(got: &[T], expected: &[T], what: &str) {
    let pairs = got.iter().zip(expected);
    if let Some((at, (got, expected))) = pairs.enumerate().find(|(_, (g, e))| g != e) {
        let (got, expected) = (shortened(got), shortened(expected));
        panic!("{what}: item {at} is\n  {got}\nbut must be\n  {expected}");
    }
    if got.len() != expected.len() {
        let (longer, side) = if got.len() > expected.len() {
            (got, "too many")
        } else {
            (expected, "missing")
        };
        let next = longer.get(got.len().min(expected.len())).map(shortened);
        let (got, expected) = (got.len(), expected.len());
        panic!("{what}: {got} items instead of {expected}; first one {side}: {next:?}");
    }
}

fn shortened(item: &impl Debug) -> String {
    const CHARS_MAX: usize = 1_000;
    let text = format!("{item:?}");
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}… ({} bytes)", text.get(..end).unwrap_or(""), text.len()),
        None => text,
    }
}
