//! The two stores and the model between them.

use std::time::Duration;

use statefn_store::sqlite::Tuning;
use statefn_store::{
    Batch, CommitError, EntityType, Member, Memory, Offset, OutboxNumber, OwnerEpoch,
    PersistenceId, Sqlite, Store, Tending, Timestamp,
};

use super::calls::{ALL, END};
use crate::disk::Disk;
use crate::input::Input;
use crate::model::Model;
use crate::tape::{Wish, load};

/// Both stores, open and claimed.
pub(super) struct Bench {
    pub(super) model: Model,
    memory: Memory,
    sqlite: Sqlite,
    disk: Disk,
    tuning: Tuning,
    epoch: OwnerEpoch,
    copies: u32,
}

impl Bench {
    pub(super) async fn open(input: &mut Input<'_>) -> Self {
        let tuning = tuning(input);
        let disk = Disk::new();
        let mut bench = Self {
            model: Model::default(),
            memory: Memory::new(),
            sqlite: Sqlite::open_tuned(disk.path(), tuning).unwrap(),
            disk,
            tuning,
            epoch: OwnerEpoch::new(0),
            copies: 0,
        };
        bench.claim().await;
        bench
    }

    fn stores(&self) -> [&dyn Store; 2] {
        [&self.memory, &self.sqlite]
    }

    async fn claim(&mut self) {
        self.epoch = OwnerEpoch::new(self.epoch.get() + 1);
        for store in self.stores() {
            assert_eq!(store.claim().await.unwrap(), self.epoch, "{store:?}");
        }
    }

    pub(super) async fn commit(&mut self, members: Vec<Member>) {
        let expected = self.model.commit(&members);
        let batch = Batch {
            epoch: self.epoch,
            members,
        };
        for store in self.stores() {
            let outcomes = store.commit(batch.clone()).await.unwrap();
            assert_eq!(outcomes, expected, "{store:?}: {batch:?}");
        }
    }

    /// A batch of an earlier owner, or of one that never was.
    pub(super) async fn commit_fenced(&mut self, members: Vec<Member>) {
        for epoch in [self.epoch.get() - 1, self.epoch.get() + 1] {
            let epoch = OwnerEpoch::new(epoch);
            for store in self.stores() {
                let members = members.clone();
                let outcome = store.commit(Batch { epoch, members }).await;
                let Err(CommitError::Fenced { held, current }) = outcome else {
                    panic!("{store:?}: {outcome:?}");
                };
                assert_eq!((held, current), (epoch, self.epoch));
            }
        }
    }

    pub(super) async fn erase(&mut self, id: &PersistenceId, records_from: Timestamp) {
        let expected = self.model.erase(id, records_from);
        for store in self.stores() {
            let count = store.erase(self.epoch, id, records_from).await.unwrap();
            assert_eq!(count, expected, "{store:?}: {id:?}");
        }
    }

    pub(super) async fn tend(&mut self, changes: Vec<Tending>) {
        let calls = &mut self.model.calls;
        let done = changes.iter().map(|change| calls.tend(change.clone()));
        let expected: Vec<bool> = done.collect();
        for store in self.stores() {
            let done = store.tend(self.epoch, changes.clone()).await.unwrap();
            assert_eq!(done, expected, "{store:?}: {changes:?}");
        }
    }

    pub(super) async fn check_timers(&self, until: Timestamp, limit: usize) {
        let expected = self.model.calls.timers(until, limit);
        for store in self.stores() {
            let timers = store.timers(until, limit).await.unwrap();
            assert_eq!(timers, expected, "{store:?} until {until}");
        }
    }

    /// Everything that waits.
    async fn check_calls(&self, store: &dyn Store) {
        let (calls, from) = (&self.model.calls, OutboxNumber::ZERO);
        let effects = store.effects(from, ALL).await.unwrap();
        assert_eq!(effects, calls.effects(from, ALL), "{store:?}");
        let dead = store.dead_letters(from, ALL).await.unwrap();
        assert_eq!(dead, calls.dead_letters(from, ALL), "{store:?}");
        let timers = store.timers(END, ALL).await.unwrap();
        assert_eq!(timers, calls.timers(END, ALL), "{store:?}");
    }

    pub(super) async fn check_load(&self, id: &PersistenceId, wish: Wish) {
        for store in self.stores() {
            let (head, replay) = load(store, id, wish).await.unwrap();
            assert_eq!(head, self.model.head(id), "{store:?}: {id:?}");
            let expected = self.model.replay(id, wish);
            assert_eq!(replay, expected, "{store:?}: {id:?} under {wish:?}");
        }
    }

    pub(super) async fn check_page(&self, from: Offset, limit: usize) {
        let all = self.model.entries.iter();
        let expected: Vec<_> = all
            .filter(|entry| entry.offset >= from)
            .take(limit)
            .collect();
        for store in self.stores() {
            let page = store.read(from, limit).await.unwrap();
            assert_eq!(page.is_empty(), expected.is_empty(), "{store:?}: {from}");
            assert!(page.len() <= expected.len(), "{store:?}: {from}, {limit}");
            assert!(page.iter().zip(&expected).all(|(got, want)| got == *want));
        }
    }

    pub(super) async fn check_entities(&self, after: Option<&PersistenceId>, limit: usize) {
        let all = self.model.entities().into_iter();
        let later = all.filter(|id| after.is_none_or(|after| id > after));
        let expected: Vec<_> = later.take(limit).collect();
        for store in self.stores() {
            let listed = store.entities(after, limit).await.unwrap();
            assert_eq!(listed, expected, "{store:?} after {after:?}");
        }
    }

    /// A search that begins at one of the entity's records, or at none.
    pub(super) async fn check_record(&self, id: &PersistenceId, key: &str, newest: usize) {
        let records = self.model.records(id).map(|record| record.offset);
        let mut places: Vec<Offset> = records.collect();
        places.push(Offset::ZERO);
        let newest = places[newest % places.len()];
        let expected = self.model.find_record(id, key, newest);
        for store in self.stores() {
            let found = store.find_record(id, key, newest).await.unwrap();
            assert_eq!(
                found, expected,
                "{store:?}: {key:?} of {id:?} from {newest}"
            );
        }
    }

    /// The file is closed and opened; memory has a next owner.
    pub(super) async fn reopen(&mut self) {
        self.sqlite.close().await.unwrap();
        let refused = self.sqlite.commit(Batch {
            epoch: self.epoch,
            members: Vec::new(),
        });
        assert!(matches!(refused.await, Err(CommitError::Unavailable(_))));
        self.sqlite = Sqlite::open_tuned(self.disk.path(), self.tuning).unwrap();
        self.claim().await;
    }

    /// What a kill between two operations leaves is opened elsewhere.
    pub(super) async fn kill(&mut self) {
        let (database, log) = self.disk.left();
        let disk = Disk::of(&database, log.as_deref());
        self.sqlite.close().await.unwrap();
        self.sqlite = Sqlite::open_tuned(disk.path(), self.tuning).unwrap();
        self.disk = disk;
        self.claim().await;
        self.check().await;
    }

    /// A copy of the file says the same.
    pub(super) async fn copy(&mut self, salvages: bool) {
        self.copies += 1;
        let to = self.disk.beside(&format!("copy {}", self.copies));
        if salvages {
            let report = self.sqlite.salvage(&to).await.unwrap();
            assert_eq!(report.faults, []);
        } else {
            self.sqlite.backup(&to).await.unwrap();
        }
        let copy = Sqlite::open_tuned(&to, self.tuning).unwrap();
        self.check_one(&copy).await;
        copy.close().await.unwrap();
    }

    pub(super) async fn check(&self) {
        for store in self.stores() {
            self.check_one(store).await;
        }
    }

    async fn check_one(&self, store: &dyn Store) {
        let entries = read_all(store).await;
        assert_eq!(entries, self.model.entries, "{store:?}");
        let entities: Vec<_> = self.model.entities().into_iter().collect();
        assert_eq!(store.entities(None, usize::MAX).await.unwrap(), entities);
        let mut types: Vec<EntityType> =
            entities.iter().map(|id| id.entity_type().clone()).collect();
        types.dedup();
        assert_eq!(store.entity_types().await.unwrap(), types);
        for id in &entities {
            for wish in Wish::ALL {
                let (head, replay) = load(store, id, wish).await.unwrap();
                assert_eq!(head, self.model.head(id), "{store:?}: {id:?}");
                assert_eq!(replay, self.model.replay(id, wish), "{store:?}: {id:?}");
            }
        }
        self.check_calls(store).await;
        let report = store.verify().await.unwrap();
        assert_eq!(report.faults, [], "{store:?}");
        assert_eq!(report.entries, self.model.entries.len() as u64);
        assert_eq!(report.entities, entities.len() as u64);
    }

    pub(super) async fn close(self) {
        for store in self.stores() {
            store.close().await.unwrap();
        }
    }
}

async fn read_all(store: &dyn Store) -> Vec<statefn_store::Entry> {
    let mut entries: Vec<statefn_store::Entry> = Vec::new();
    loop {
        let next = Offset::new(entries.len() as u64 + 1);
        match store.read(next, 7).await.unwrap() {
            page if page.is_empty() => return entries,
            page => entries.extend(page),
        }
    }
}

/// Merges and checkpoints after a few commits, so that a short sequence meets them.
fn tuning(input: &mut Input<'_>) -> Tuning {
    Tuning {
        gathered_entities: usize::from(1 + input.below(8)),
        gathered_entries: u64::from(1 + input.below(16)),
        merge_step: usize::from(1 + input.below(4)),
        checkpoint_pages: u64::from(2 + input.below(30)),
        look_every: u32::from(1 + input.below(4)),
        idle: Duration::from_secs(3600),
        readers: 1,
        ..Tuning::default()
    }
}
