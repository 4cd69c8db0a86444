//! What a store is asked in a run: commits of every shape, merges, checkpoints, reopenings.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use statefn_store::sqlite::Tuning;
use statefn_store::{
    EntryBody, Member, NewEvent, NewRecord, NewSnapshot, NewState, PersistenceId, SequenceNumber,
    Skip, StateChange, Store, Timestamp,
};

use crate::calls::{self, Caller};
use crate::check;
use crate::disk::Disk;
use crate::driver::{self, Driver};
use crate::image::Image;
use crate::ledger::Ledger;
use crate::mount::{DATABASE, Mount};
use crate::random::Random;
use crate::trace::Op;
use crate::vfs;

/// How a run is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Commits, or groups of them.
    pub commits: usize,
    /// Entities.
    pub entities: u64,
    /// Events of the largest member.
    pub burst: u64,
    /// How many of a hundred members have up to that many.
    pub bursts: u64,
    /// Whether the disk leaves bytes beside a write alone.
    pub powersafe: bool,
    /// Whether some members are stale.
    pub stale: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            commits: 16,
            entities: 12,
            burst: 24,
            bursts: 5,
            powersafe: true,
            stale: true,
        }
    }
}

/// A store that merges, checkpoints and reopens after a few commits, and does nothing because time
/// passes.
pub fn small() -> Tuning {
    Tuning {
        entries_at_once: 3,
        erased_at_once: 2,
        slow_load: Duration::from_secs(600),
        gathered_entities: 8,
        gathered_entries: 24,
        merge_step: 2,
        checkpoint_pages: 12,
        look_every: 2,
        reader_wait: Duration::ZERO,
        idle: Duration::from_secs(600),
        reopen_wait: (Duration::ZERO, Duration::from_millis(1)),
        readers: 1,
    }
}

/// A finished run.
#[derive(Debug)]
pub struct Run {
    /// Everything that was asked of the disk, which was empty before.
    pub trace: Vec<Op>,
    /// What the store answered.
    pub ledger: Ledger,
    /// Whether the disk leaves bytes beside a write alone.
    pub powersafe: bool,
    /// When nobody knew what was applied.
    pub windows: Vec<Window>,
    /// From a sync that failed while the store was opened or closed until it was open again. What
    /// the operating system took for written is then moved into the database from memory; SQLite
    /// cannot tell, and a power cut in there may leave an older log beside it.
    pub blind: Vec<std::ops::Range<usize>>,
}

/// From an error that said *unknown* or *not applied* until the store served again.
#[derive(Debug)]
pub struct Window {
    /// Operations of the disk when it began and when it ended.
    pub moments: std::ops::Range<usize>,
    /// What was known then, with the unknown at its end.
    pub ledger: Ledger,
}

impl Run {
    /// The truth as it was after this many operations of the disk.
    pub fn ledger_at(&self, done: usize) -> &Ledger {
        let mut windows = self.windows.iter();
        windows
            .find(|window| window.moments.contains(&done))
            .map_or(&self.ledger, |window| &window.ledger)
    }
}

/// Runs a workload on a healthy disk. Equal seeds give equal runs.
pub fn run(seed: u64, shape: Shape) -> Run {
    let mount = Mount::new();
    let disk = Disk::new(&Image::empty(DATABASE), shape.powersafe);
    mount.insert(&disk);
    vfs::seed_randomness(seed);
    let mut random = Random::new(seed);
    let open = || Driver::open(&disk, &mount.database(), small()).expect("a healthy disk");
    let mut driver = open();
    driver.claim().expect("a healthy disk");
    let mut writer = Writer::new(shape);
    for number in 0..shape.commits {
        let groups = writer.groups(&mut random, &driver.ledger);
        driver.commit(&groups);
        if random.percent(20) {
            tend(&mut driver, &mut random);
        }
        if random.percent(15) {
            erase(&mut driver, &mut random, &writer);
        }
        if random.percent(10) {
            driver.meanwhile(|driver| back_up(&mount, driver));
        }
        if random.percent(12) && number > 0 {
            let (closed, ledger) = driver.close();
            closed.expect("a healthy disk");
            driver = open().with(ledger);
            driver.claim().expect("a healthy disk");
        }
    }
    driver.meanwhile(|driver| {
        let report = driver::wait(driver.store().verify()).expect("a healthy disk");
        assert_eq!(report.faults, []);
    });
    let (closed, ledger) = driver.close();
    closed.expect("a healthy disk");
    Run {
        trace: disk.trace(),
        ledger,
        powersafe: shape.powersafe,
        windows: Vec::new(),
        blind: Vec::new(),
    }
}

/// Changes stored calls.
fn tend(driver: &mut Driver, random: &mut Random) {
    let calls = driver.ledger.calls(driver.ledger.batches.len());
    let changes = calls::changes(&calls, random);
    let (done, marks) = driver.tend(&changes);
    let done = done.expect("a healthy disk");
    assert_eq!(driver.ledger.tend(&changes, marks), done, "{changes:?}");
}

/// Erases the past of an entity, deleted or not.
fn erase(driver: &mut Driver, random: &mut Random, writer: &Writer) {
    let (id, records_from) = writer.erasure(random, &driver.ledger);
    let (count, marks) = driver.erase(&id, records_from);
    let count = count.expect("a healthy disk");
    assert_eq!(driver.ledger.erase(&id, records_from, marks), count, "{id}");
}

/// Copies the store, and finds everything in the copy.
fn back_up(mount: &Mount, driver: &Driver) {
    let copy = mount.path().join("copy.db");
    driver::wait(driver.store().backup(&copy)).expect("a healthy disk");
    driver.disk().rename("copy.db.partial", "copy.db");
    let copied = Driver::open(driver.disk(), &copy, small()).expect("a copy is a store");
    let entries = check::read_all(&copied).expect("a copy can be read");
    assert_eq!(entries, driver.ledger.now(), "a copy is whole");
    copied.close().0.expect("a healthy disk");
    driver.disk().forget("copy.db");
    driver.disk().forget("copy.db-wal");
    std::fs::remove_file(copy).expect("it is there");
}

/// Makes members that fit to what was made before.
#[derive(Clone, Debug)]
pub struct Writer {
    shape: Shape,
    sequences: BTreeMap<u64, u64>,
    made: i64,
    caller: Caller,
    /// Entities and the sequence numbers of their deletions.
    deletions: BTreeSet<(u64, u64)>,
}

impl Writer {
    /// Begins with no entity.
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            sequences: BTreeMap::new(),
            made: 0,
            caller: Caller::default(),
            deletions: BTreeSet::new(),
        }
    }

    /// One batch, or some that are under way together: no entity is in two of them.
    pub fn groups(&mut self, random: &mut Random, ledger: &Ledger) -> Vec<Vec<Member>> {
        self.caller.begin(ledger.calls(ledger.batches.len()));
        let count = if random.percent(30) {
            2 + random.below(3)
        } else {
            1
        };
        let mut entities: Vec<u64> = (0..self.shape.entities).collect();
        random.shuffle(&mut entities);
        let each = entities.len() / usize::try_from(count).unwrap_or(1);
        let groups = entities.chunks(each.max(1));
        groups
            .take(usize::try_from(count).unwrap_or(1))
            .map(|entities| self.batch(entities, random))
            .collect()
    }

    fn batch(&mut self, entities: &[u64], random: &mut Random) -> Vec<Member> {
        let count = 1 + random.below(5);
        let mut members = Vec::new();
        for _ in 0..count {
            let entity = entities[random.index(entities.len())];
            members.push(self.member(entity, random));
        }
        if self.shape.stale && random.percent(6) {
            // A stale member: refused, and nothing of it is stored.
            let entity = entities[random.index(entities.len())];
            let expected = SequenceNumber::new(self.sequences.get(&entity).unwrap_or(&0) + 3);
            let mut stale = Member::new(id(entity), expected, Timestamp::from_millis(self.made));
            stale.events.push(event(random));
            members.push(stale);
        }
        members
    }

    /// An entity whose past may be erased, and since when its keys are remembered: one that was deleted, as
    /// a rule.
    pub fn erasure(&self, random: &mut Random, ledger: &Ledger) -> (PersistenceId, Timestamp) {
        let deleted: Vec<&PersistenceId> = ledger
            .entries
            .iter()
            .filter(|entry| matches!(entry.body, EntryBody::Deleted { .. }))
            .map(|entry| &entry.id)
            .collect();
        let id = if deleted.is_empty() {
            id(random.below(self.shape.entities))
        } else {
            deleted[random.index(deleted.len())].clone()
        };
        let made = u64::try_from(self.made).unwrap_or(0);
        let from = i64::try_from(random.below(made + 2)).unwrap_or(0);
        (id, Timestamp::from_millis(from))
    }

    /// Goes on from what is in a ledger.
    pub fn follow(&mut self, ledger: &Ledger) {
        let heads = ledger.heads(ledger.batches.len());
        for (entity, sequence) in &mut self.sequences {
            *sequence = heads
                .get(&id(*entity))
                .map_or(0, |head| head.sequence.get());
        }
    }

    /// One member of this entity.
    pub fn member(&mut self, entity: u64, random: &mut Random) -> Member {
        self.made += 1;
        let sequence = self.sequences.entry(entity).or_default();
        let expected = SequenceNumber::new(*sequence);
        let mut member = Member::new(id(entity), expected, Timestamp::from_millis(self.made));
        if random.percent(20) {
            member.metadata = random.bytes(24);
        }
        let events = match random.below(100) {
            kind if kind < self.shape.bursts => 1 + random.below(self.shape.burst),
            kind if kind < self.shape.bursts + 15 => 0,
            _ => 1 + random.below(3),
        };
        member.events = (0..events).map(|_| event(random)).collect();
        if random.percent(40) {
            let length = 8 + random.index(120);
            member.record = Some(NewRecord {
                key: format!("key {}", self.made),
                fingerprint: u128::from(random.number()),
                outcome: random.bytes(length),
            });
        }
        member.state = match random.below(100) {
            0..6 => Some(StateChange::Put(state(random))),
            6..11 => Some(StateChange::Delete),
            _ => None,
        }
        .map(Box::new);
        if events > 0 && member.state.is_none() && random.percent(25) {
            let length = 50 + random.index(900);
            member.snapshot = Some(NewSnapshot {
                shape: 7,
                codec: 0,
                payload: random.bytes(length),
            });
        }
        if *sequence > 0 && random.percent(3) {
            let left_out = 1 + random.below(*sequence);
            // Without its deletion, an entity whose past was erased does not load.
            member.skip = (!self.deletions.contains(&(entity, left_out))).then(|| Skip {
                sequence: SequenceNumber::new(left_out),
                reason: "it was wrong".to_owned(),
            });
        }
        *sequence = member.last_sequence().get();
        let deletes = member.state.as_deref() == Some(&StateChange::Delete);
        if deletes {
            self.deletions.insert((entity, *sequence));
        }
        let target = id(random.below(self.shape.entities));
        let deferred = self.caller.deferred(&member.id, &target, deletes, random);
        member.deferred = deferred.map(Box::new);
        member
    }
}

/// An entity by its number; some of them of another type.
pub fn id(entity: u64) -> PersistenceId {
    let entity_type = if entity.is_multiple_of(5) {
        "account"
    } else {
        "cart"
    };
    PersistenceId::new(entity_type, format!("customer {entity:04}"))
}

fn state(random: &mut Random) -> NewState {
    let length = length(random);
    NewState {
        shape: u128::from(random.number()),
        version: 1,
        codec: 0,
        payload: random.bytes(length),
    }
}

fn length(random: &mut Random) -> usize {
    match random.below(30) {
        0 => 3_000 + random.index(7_000),
        1..6 => 200 + random.index(800),
        _ => random.index(120),
    }
}

fn event(random: &mut Random) -> NewEvent {
    let length = length(random);
    NewEvent {
        name: "added".into(),
        version: 1,
        codec: 0,
        payload: random.bytes(length),
    }
}
