//! Holds what a power cut left against the ledger.

use std::any::Any;
use std::fmt::Debug;
use std::ops::ControlFlow;

use statefn_store::sqlite::Tuning;
use statefn_store::{
    Entry, EntryBody, EventRef, FailureKind, Head, LoadError, Member, NewEvent, Offset, Outcome,
    PersistenceId, RecordRef, Replay, SequenceNumber, SnapshotRef, StateRef, Store, Timestamp,
};

use crate::disk::Disk;
use crate::driver::{self, Driver};
use crate::image::Image;
use crate::ledger::{Bounds, Ledger};
use crate::mount::Mount;
use crate::random::Random;
use crate::trace::Op;
use crate::workload;

/// What is wrong with a recovered store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Something acknowledged is not there.
    Lost(String),
    /// Something is there that nobody wrote, or not as it was written, or the store does not work.
    Corrupt(String),
    /// The store says that it cannot read.
    Unavailable(FailureKind, String),
}

/// What a recovery did, and what it found.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// Batches that were there.
    pub batches: usize,
    /// What it asked of the disk until it could be used.
    pub trace: Vec<Op>,
}

fn corrupt(what: impl Into<String>) -> Wrong {
    Wrong::Corrupt(what.into())
}

fn failed(what: &str) -> impl Fn(&dyn Debug) -> Wrong {
    move |error| corrupt(format!("{what}: {error:?}"))
}

/// Opens an image as a new process would, and looks at everything in it.
pub fn check(
    mount: &Mount,
    image: &Image,
    powersafe: bool,
    ledger: &Ledger,
    bounds: Bounds,
    random: &mut Random,
) -> Result<Recovered, Wrong> {
    let disk = Disk::new(image, powersafe);
    mount.insert(&disk);
    let mut store = open(&disk, mount, ledger)?;
    let before = claimed(&mut store, bounds)?;
    let trace = disk.trace();
    let batches = entries(&store, ledger, bounds)?;
    loads(&store, ledger, batches, random)?;
    let more = go_on(&store, ledger, batches)?;
    clean(&store, ledger.end(batches) + more)?;
    let epoch = store.epoch().get();
    store
        .close()
        .0
        .map_err(|error| failed("it does not close")(&error))?;
    if random.percent(6) {
        again(&disk, mount, ledger, (batches, more, epoch))?;
    }
    debug_assert_eq!(before + 1, epoch);
    Ok(Recovered { batches, trace })
}

fn open(disk: &std::sync::Arc<Disk>, mount: &Mount, ledger: &Ledger) -> Result<Driver, Wrong> {
    let tuning = Tuning {
        merge_step: 64,
        ..workload::small()
    };
    Driver::open(disk, &mount.database(), tuning).map_err(|error| {
        if ledger.entries.is_empty() {
            failed("it does not open")(&error)
        } else {
            corrupt(format!("a store with entries does not open: {error:?}"))
        }
    })
}

/// Takes the store over and answers how many had done so before.
fn claimed(store: &mut Driver, bounds: Bounds) -> Result<u64, Wrong> {
    let epoch = store
        .claim()
        .map_err(|error| failed("no claim is taken")(&error))?;
    let before = epoch.get().saturating_sub(1);
    let (must, may) = bounds.claims;
    if before < must {
        return Err(Wrong::Lost(format!(
            "epoch {must} was acknowledged, {before} is there"
        )));
    }
    if before > may {
        return Err(corrupt(format!("epoch {before} after {may} claims")));
    }
    Ok(before)
}

/// Every entry that must be there, none that may not, and no batch in part.
fn entries(store: &Driver, ledger: &Ledger, bounds: Bounds) -> Result<usize, Wrong> {
    let found = read_all(store)?;
    let (must, may) = bounds.batches;
    for (found, written) in found.iter().zip(&ledger.entries) {
        if found != written {
            return Err(corrupt(format!("found {found:?}, written was {written:?}")));
        }
    }
    if found.len() < ledger.end(must) {
        let (there, must) = (found.len(), ledger.end(must));
        return Err(Wrong::Lost(format!(
            "{must} entries were acknowledged, {there} are there"
        )));
    }
    match ledger.batches_with(found.len(), may) {
        Some(batches) => Ok(batches),
        None => Err(corrupt(format!(
            "{} entries: a batch is there in part",
            found.len()
        ))),
    }
}

/// Everything in the journal.
pub fn read_all(store: &Driver) -> Result<Vec<Entry>, Wrong> {
    let mut found: Vec<Entry> = Vec::new();
    loop {
        let from = Offset::new(found.len() as u64 + 1);
        let page = driver::wait(store.store().read(from, 10_000));
        let page = page.map_err(|error| failed("the journal cannot be read")(&error))?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page);
    }
}

/// Two entities as a runtime recovers them.
fn loads(
    store: &Driver,
    ledger: &Ledger,
    batches: usize,
    random: &mut Random,
) -> Result<(), Wrong> {
    let heads = ledger.heads(batches);
    let ids: Vec<_> = heads.iter().collect();
    for _ in 0..2.min(ids.len()) {
        let (id, head) = ids[random.index(ids.len())];
        load(store, ledger, (id, *head, batches), random.percent(50))?;
    }
    Ok(())
}

/// One entity as a runtime recovers it.
pub fn load(
    store: &Driver,
    ledger: &Ledger,
    (id, head, batches): (&PersistenceId, Head, usize),
    take_snapshot: bool,
) -> Result<(), Wrong> {
    let replay = Seen {
        take_snapshot,
        ..Seen::default()
    };
    let loaded = driver::wait(store.store().load(id, Box::new(replay)));
    let loaded = loaded.map_err(|error| match error {
        LoadError::Unavailable(failure) => Wrong::Unavailable(failure.kind, failure.message),
        error => failed("an entity does not load")(&error),
    })?;
    let found: Box<dyn Any> = loaded.replay;
    let found = found.downcast::<Seen>().expect("it is what was given");
    let expected = expected(ledger, id, batches, take_snapshot);
    if loaded.head != head || *found != expected {
        let head = loaded.head;
        return Err(corrupt(format!(
            "{id} at {head:?}: {found:?}, expected {expected:?}"
        )));
    }
    Ok(())
}

/// What a load tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    take_snapshot: bool,
    snapshot: Option<(SequenceNumber, Vec<u8>)>,
    /// A state, or a deletion.
    whole: Option<(SequenceNumber, Offset, Option<Vec<u8>>)>,
    events: Vec<(SequenceNumber, Offset, Option<Vec<u8>>)>,
    records: Vec<(String, Offset)>,
}

impl Replay for Seen {
    fn snapshot(&mut self, snapshot: SnapshotRef<'_>) -> bool {
        self.snapshot = Some((snapshot.sequence, snapshot.payload.to_vec()));
        self.take_snapshot
    }

    fn state(&mut self, state: StateRef<'_>) -> ControlFlow<()> {
        let payload = state.state.map(|state| state.payload.to_vec());
        self.whole = Some((state.sequence, state.offset, payload));
        ControlFlow::Continue(())
    }

    fn event(&mut self, event: EventRef<'_>) -> ControlFlow<()> {
        let payload = Some(event.payload.to_vec());
        self.events.push((event.sequence, event.offset, payload));
        ControlFlow::Continue(())
    }

    fn skipped(&mut self, sequence: SequenceNumber) {
        self.events.push((sequence, Offset::ZERO, None));
    }

    fn record(&mut self, record: RecordRef<'_>) -> ControlFlow<()> {
        self.records.push((record.key.to_owned(), record.offset));
        ControlFlow::Continue(())
    }
}

fn expected(ledger: &Ledger, id: &PersistenceId, batches: usize, take_snapshot: bool) -> Seen {
    let snapshot = ledger.snapshot(id, batches);
    let mut after = match snapshot {
        Some((sequence, _)) if take_snapshot => sequence,
        _ => SequenceNumber::ZERO,
    };
    let mut seen = Seen {
        take_snapshot,
        snapshot: snapshot.map(|(sequence, snapshot)| (sequence, snapshot.payload.clone())),
        ..Seen::default()
    };
    if let Some(entry) = ledger.whole(id, batches)
        && entry.sequence > after
    {
        let payload = match &entry.body {
            EntryBody::State { state, .. } => Some(state.payload.clone()),
            _ => None,
        };
        after = entry.sequence;
        seen.whole = Some((after, entry.offset, payload));
    }
    let mut skipped = Vec::new();
    for entry in ledger.entries[..ledger.end(batches)]
        .iter()
        .filter(|entry| entry.id == *id)
    {
        if let Some(record) = entry.body.record() {
            seen.records.insert(0, (record.key.clone(), entry.offset));
        }
        match &entry.body {
            EntryBody::Event { event, .. } if entry.sequence > after => {
                let payload = Some(event.payload.clone());
                seen.events.push((entry.sequence, entry.offset, payload));
            }
            // Only one that an operator has left out comes after the newest.
            EntryBody::State { .. } | EntryBody::Deleted { .. } if entry.sequence > after => {
                seen.events.push((entry.sequence, Offset::ZERO, None));
            }
            EntryBody::Skip { sequence, .. } => skipped.push(*sequence),
            _ => {}
        }
    }
    for event in &mut seen.events {
        if skipped.contains(&event.0) {
            *event = (event.0, Offset::ZERO, None);
        }
    }
    seen
}

/// Every entity takes its next command, at the sequence number that follows: answers how many
/// entries that wrote.
fn go_on(store: &Driver, ledger: &Ledger, batches: usize) -> Result<usize, Wrong> {
    let time = Timestamp::from_millis(1);
    let heads = ledger.heads(batches);
    let mut members: Vec<Member> = Vec::new();
    let mut positions = Vec::new();
    for (id, head) in &heads {
        members.push(Member::new((*id).clone(), head.sequence, time));
        positions.push(head.position);
    }
    let (newcomer, end) = (workload::id(9_999), ledger.end(batches));
    let mut last = heads.keys().next().map_or_else(
        || Member::new(newcomer, SequenceNumber::ZERO, time),
        |id| Member::new((*id).clone(), heads[id].sequence, time),
    );
    last.events.push(NewEvent {
        name: "after the cut".into(),
        version: 1,
        codec: 0,
        payload: Vec::new(),
    });
    members.push(last);
    positions.push(Offset::new(end as u64 + 1));
    let answer = store
        .send(&[members])
        .pop()
        .expect("one batch, one answer")
        .0;
    let outcomes = answer.map_err(|error| failed("it takes no commit")(&error))?;
    for (outcome, expected) in outcomes.iter().zip(positions) {
        if *outcome != (Outcome::Committed { position: expected }) {
            return Err(corrupt(format!(
                "a head is wrong: {outcome:?}, expected {expected}"
            )));
        }
    }
    Ok(1)
}

/// The store's own check finds nothing.
fn clean(store: &Driver, entries: usize) -> Result<(), Wrong> {
    let report = driver::wait(store.store().verify());
    let report = report.map_err(|error| failed("it cannot be verified")(&error))?;
    if !report.faults.is_empty() || report.entries != entries as u64 {
        return Err(corrupt(format!("{report:?}, expected {entries} entries")));
    }
    Ok(())
}

/// A clean restart after the recovery finds the same.
fn again(
    disk: &std::sync::Arc<Disk>,
    mount: &Mount,
    ledger: &Ledger,
    (batches, more, epoch): (usize, usize, u64),
) -> Result<(), Wrong> {
    let mut store = open(disk, mount, ledger)?;
    let next = store
        .claim()
        .map_err(|error| failed("no second claim is taken")(&error))?;
    if next.get() != epoch + 1 {
        return Err(corrupt(format!("epoch {next} after {epoch}")));
    }
    let entries = ledger.end(batches) + more;
    if read_all(&store)?.len() != entries {
        return Err(Wrong::Lost("a commit after the recovery".to_owned()));
    }
    clean(&store, entries)?;
    store
        .close()
        .0
        .map_err(|error| failed("it does not close again")(&error))
}
