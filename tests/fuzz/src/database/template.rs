//! The files that are damaged, made once, and what is in them.

use std::sync::OnceLock;
use std::time::Duration;

use statefn_store::sqlite::Tuning;
use statefn_store::{
    Batch, Member, NewEvent, NewRecord, NewSnapshot, NewState, OwnerEpoch, PersistenceId,
    SequenceNumber, Skip, Sqlite, StateChange, Store, Timestamp,
};

use crate::disk::Disk;
use crate::model::Model;
use crate::world;

/// A store's files and what was written to them.
pub(super) struct Template {
    pub(super) database: Vec<u8>,
    pub(super) log: Option<Vec<u8>>,
    pub(super) model: Model,
    /// How many entries there were after each commit.
    pub(super) commits: Vec<usize>,
}

impl Template {
    /// Closed in order: everything is in the database.
    pub(super) fn closed() -> &'static Self {
        static CLOSED: OnceLock<Template> = OnceLock::new();
        CLOSED.get_or_init(|| world::block_on(Self::written(true)))
    }

    /// Killed: the newest commits are in the log, and their heads nowhere.
    pub(super) fn killed() -> &'static Self {
        static KILLED: OnceLock<Template> = OnceLock::new();
        KILLED.get_or_init(|| world::block_on(Self::written(false)))
    }

    async fn written(is_closed: bool) -> Self {
        let disk = Disk::new();
        let first = Sqlite::open(disk.path()).unwrap();
        let (mut model, mut commits) = (Model::default(), vec![0]);
        for round in 0..6 {
            write(&first, round, &mut model, &mut commits).await;
        }
        let (dora, from) = (
            PersistenceId::new("cart", "dora"),
            Timestamp::from_millis(0),
        );
        let epoch = first.claim().await.unwrap();
        let erased = first.erase(epoch, &dora, from).await.unwrap();
        assert_eq!(erased, model.erase(&dora, from));
        assert!(erased > 0);
        first.close().await.unwrap();
        commits.drain(..commits.len() - 1);
        let tuning = Tuning {
            idle: Duration::from_secs(3600),
            ..Tuning::default()
        };
        let second = Sqlite::open_tuned(disk.path(), tuning).unwrap();
        for round in 6..12 {
            write(&second, round, &mut model, &mut commits).await;
        }
        if is_closed {
            second.close().await.unwrap();
        }
        let (database, log) = disk.left();
        second.close().await.unwrap();
        Self {
            database,
            log: log.filter(|log| !log.is_empty()),
            model,
            commits,
        }
    }
}

async fn write(store: &Sqlite, round: u64, model: &mut Model, commits: &mut Vec<usize>) {
    // A claim is a commit too; each round has an owner of its own.
    let epoch: OwnerEpoch = store.claim().await.unwrap();
    let members: Vec<Member> = names(round)
        .map(|name| member(model, name, round))
        .collect();
    let expected = model.commit(&members);
    let outcomes = store.commit(Batch { epoch, members }).await.unwrap();
    assert_eq!(outcomes, expected);
    commits.push(model.entries.len());
}

/// One entity is in most batches, so that its rows lie close together; others come now and then.
fn names(round: u64) -> impl Iterator<Item = &'static str> {
    let rare = ["dora", "bob", "carol", "dora", "eve"];
    let at = usize::try_from(round).unwrap() % rare.len();
    ["alice", rare[at]].into_iter()
}

fn member(model: &Model, name: &str, round: u64) -> Member {
    let id = PersistenceId::new("cart", name);
    let expected = model.head(&id).sequence;
    let time = Timestamp::from_millis(round.cast_signed() - 3);
    let mut member = Member::new(id, expected, time);
    member.metadata = vec![b'm'; usize::try_from(round % 3).unwrap()];
    let large = if round == 4 { 5_000 } else { 30 };
    for number in 0..(round % 3) {
        member.events.push(NewEvent {
            name: "added".into(),
            version: 1,
            codec: 1,
            payload: format!("{name} {round} {number:0large$}").into_bytes(),
        });
    }
    // Dora is stored whole, then deleted, erased, and stored anew.
    member.state = match (name, round) {
        ("dora", 3) | ("eve", 4) => Some(Box::new(StateChange::Delete)),
        ("dora" | "eve", _) => Some(Box::new(StateChange::Put(NewState {
            shape: 78,
            version: 1,
            codec: 1,
            payload: format!("whole {name} at {round}").into_bytes(),
        }))),
        _ => None,
    };
    if round.is_multiple_of(2) {
        member.record = Some(NewRecord {
            key: format!("key {}", round % 4),
            fingerprint: u128::from(round) << 100,
            outcome: format!("reply {round}").into_bytes(),
        });
    }
    // A snapshot comes with an event, and without a state.
    if round % 4 == 1 && !member.events.is_empty() && member.state.is_none() {
        member.snapshot = Some(NewSnapshot {
            shape: 77,
            codec: 1,
            payload: format!("state of {name} at {round}").into_bytes(),
        });
    }
    if round == 8 && expected != SequenceNumber::ZERO {
        member.skip = Some(Skip {
            sequence: expected,
            reason: "it was wrong".to_owned(),
        });
    }
    member
}
