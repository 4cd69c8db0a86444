//! What a store makes of a damaged file, held against what was written.

use std::fs;

use statefn_store::{
    Batch, CommitError, Entry, Head, LoadError, Member, NewEvent, Offset, Outcome, PersistenceId,
    SequenceNumber, Sqlite, Store, Timestamp,
};

use crate::disk::Disk;
use crate::model::Model;
use crate::tape::{Heard, Wish, load};

/// What was done to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// It never was a store, so nobody knows what is in it.
    Anything,
    /// Its checksums tell.
    Bytes,
    /// SQLite takes the log up to the first frame that is wrong: some last commits are missing.
    Log,
    /// Its checksums say that all is right.
    Forged,
}

/// A damaged file, and what was written before.
pub(super) struct Trial<'a> {
    pub(super) disk: Disk,
    pub(super) damage: Damage,
    pub(super) model: &'a Model,
    pub(super) commits: &'a [usize],
}

impl Trial<'_> {
    pub(super) async fn run(self, salvages: bool) {
        let (before, log) = self.disk.left();
        let store = match Sqlite::open(self.disk.path()) {
            Ok(store) => store,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                let (after, _) = self.disk.left();
                assert!(
                    log.is_some() || before == after,
                    "refused and changed: {error}"
                );
                return;
            }
        };
        let is_clean = match store.verify().await {
            Ok(report) => report.faults.is_empty(),
            Err(_) => false,
        };
        let model = self.expected(&store).await;
        self.check(&store, &model, is_clean).await;
        if salvages {
            self.salvage(&store, &model, is_clean).await;
        }
        self.go_on(&store, &model, is_clean).await;
    }

    /// What must be there: everything, or what some commit left.
    async fn expected(&self, store: &Sqlite) -> Model {
        if self.damage != Damage::Log {
            return self.model.clone();
        }
        let entries = store.read(Offset::new(1), usize::MAX).await.unwrap();
        assert!(self.commits.contains(&entries.len()), "half a commit");
        self.model.at(entries.len())
    }

    fn ids(&self) -> Vec<PersistenceId> {
        let mut ids: Vec<_> = self.model.entities().into_iter().collect();
        ids.push(PersistenceId::new("cart", "nobody"));
        ids
    }

    async fn check(&self, store: &Sqlite, model: &Model, is_clean: bool) {
        for id in self.ids() {
            for wish in Wish::ALL {
                let loaded = load(store, &id, wish).await;
                self.judge(model, &id, wish, loaded, is_clean);
            }
            for record in model.records(&id) {
                let newest = model.head(&id).record;
                match store.find_record(&id, &record.key, newest).await {
                    Ok(found) if self.tells() => {
                        let expected = model.find_record(&id, &record.key, newest);
                        assert!(found == expected || (found.is_none() && !is_clean));
                    }
                    Ok(_) => {}
                    Err(error) => assert!(!is_clean, "{error}"),
                }
            }
        }
        for entry in &model.entries {
            self.check_entry(store, entry, is_clean).await;
        }
        match store.entities(None, usize::MAX).await {
            Ok(ids) if self.tells() => {
                let expected = model.entities();
                assert!(ids.iter().all(|id| expected.contains(id)), "{ids:?}");
                assert!(!is_clean || ids.len() == expected.len(), "{ids:?}");
            }
            Ok(_) => {}
            Err(error) => assert!(!is_clean, "{error}"),
        }
    }

    /// Whether checksums can tell what is right.
    fn tells(&self) -> bool {
        matches!(self.damage, Damage::Bytes | Damage::Log)
    }

    /// What was written, a typed error, or an absence that `verify` has seen.
    fn judge(
        &self,
        model: &Model,
        id: &PersistenceId,
        wish: Wish,
        loaded: Result<(Head, Vec<Heard>), LoadError>,
        is_clean: bool,
    ) {
        let (head, mut replay) = match loaded {
            Ok(loaded) => loaded,
            Err(error) => return assert!(!is_clean, "clean, but {id} has {error}"),
        };
        is_gapless(&replay);
        if !self.tells() {
            return;
        }
        if (head, &replay) == (model.head(id), &model.replay(id, wish)) {
            return;
        }
        assert!(!is_clean, "clean, but {id} is {replay:?}");
        let is_absent = head == Head::default() && replay.is_empty();
        // The record of an event that an operator left out may be damaged with it.
        let certain = |heard: &Heard| match heard {
            Heard::Record { offset, .. } => !model.is_left_out(*offset),
            _ => true,
        };
        replay.retain(certain);
        let mut right = model.replay(id, wish);
        right.retain(certain);
        let mut from_events = model.replay(id, Wish::ALL[0]);
        from_events.retain(|heard| certain(heard) && !matches!(heard, Heard::Snapshot { .. }));
        let is_there = head == model.head(id) && (replay == right || replay == from_events);
        assert!(is_absent || is_there, "{id} under {wish:?}: {replay:?}");
    }

    async fn check_entry(&self, store: &Sqlite, entry: &Entry, is_clean: bool) {
        match store.read(entry.offset, 1).await {
            Ok(page) if self.tells() => match &page[..] {
                [] => assert!(!is_clean, "no entry at {}", entry.offset),
                [found] => assert_eq!(found, entry),
                more => panic!("{more:?}"),
            },
            Ok(_) => {}
            Err(error) => assert!(!is_clean, "clean, but {error}"),
        }
    }

    /// The copy holds nothing that was not written, and is a store.
    async fn salvage(&self, store: &Sqlite, model: &Model, is_clean: bool) {
        let to = self.disk.beside("salvaged");
        let Ok(report) = store.salvage(&to).await else {
            assert!(!is_clean, "a clean store is not salvaged");
            return;
        };
        let copy = Sqlite::open(&to).unwrap();
        let entries = copy.read(Offset::new(1), usize::MAX).await.unwrap();
        if self.tells() {
            let is_written = |entry: &&Entry| {
                let mut own = model.entries.iter().filter(|other| other.id == entry.id);
                own.any(|other| (other.sequence, other.time) == (entry.sequence, entry.time))
            };
            assert!(entries.iter().all(|entry| is_written(&entry)));
            assert!(!is_clean || entries == model.entries);
            assert!(is_clean || !report.faults.is_empty() || entries == model.entries);
        }
        copy.close().await.unwrap();
    }

    /// Somebody new comes; if that is taken, it is there after the next start, beside the others.
    async fn go_on(&self, store: &Sqlite, model: &Model, is_clean: bool) {
        let id = PersistenceId::new("cart", "nobody");
        let event = NewEvent {
            name: "added".into(),
            version: 1,
            codec: 1,
            payload: b"new".to_vec(),
        };
        let mut member = Member::new(id.clone(), SequenceNumber::ZERO, Timestamp::from_millis(1));
        member.events.push(event);
        let is_taken = match store.claim().await {
            Err(error) => {
                assert!(!is_clean, "{error}");
                false
            }
            Ok(epoch) => {
                let members = vec![member.clone()];
                match store.commit(Batch { epoch, members }).await {
                    Ok(outcomes) => matches!(outcomes[..], [Outcome::Committed { .. }]),
                    Err(CommitError::Unavailable(_) | CommitError::Unknown(_)) => false,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        assert!(is_taken || !is_clean, "clean, and a commit is not taken");
        let closed = store.close().await;
        assert!(closed.is_ok() || !is_clean, "{closed:?}");
        if !is_taken {
            return;
        }
        let Ok(again) = Sqlite::open(self.disk.path()) else {
            assert!(!is_clean, "clean, and not opened again");
            return;
        };
        let mut after = model.clone();
        after.commit(&[member]);
        self.check(&again, &after, is_clean).await;
        let size = fs::metadata(self.disk.path()).unwrap().len();
        assert!(size > 0);
        let _ = again.close().await;
    }
}

/// No replay leaves a number out, whatever is in the file.
fn is_gapless(heard: &[Heard]) {
    let mut next: Option<SequenceNumber> = None;
    for heard in heard {
        match heard {
            Heard::State { sequence, .. }
            | Heard::Event { sequence, .. }
            | Heard::Skipped(sequence) => {
                assert!(next.is_none_or(|next| next == *sequence), "{heard:?}");
                next = Some(sequence.next());
            }
            Heard::Record { .. } | Heard::Snapshot { .. } => {}
        }
    }
}
