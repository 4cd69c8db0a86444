//! Holds what a power cut left against the ledger.

use std::any::Any;
use std::fmt::Debug;

use statefn_store::sqlite::Tuning;
use statefn_store::{
    Deferred, Entry, FailureKind, Head, LoadError, Member, NewEvent, Offset, OutboxNumber, Outcome,
    PersistenceId, SequenceNumber, Settled, Store, StoreFailure, Timestamp,
};

use crate::disk::Disk;
use crate::driver::{self, Driver};
use crate::image::Image;
use crate::ledger::{Bounds, Ledger};
use crate::mount::Mount;
use crate::random::Random;
use crate::seen::{Seen, expected};
use crate::trace::Op;
use crate::waiting::{ALL, END, Waiting};
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
    /// Whether the last erasure was there in part.
    pub half_erased: bool,
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
    let found = read_all(&store)?;
    let batches = entries(&store, &found, ledger, bounds)?;
    loads(&store, (ledger, &found), batches, random)?;
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
    let is_after = |erasures: usize| {
        let mut entries = found.iter().enumerate();
        entries.all(|(index, entry)| ledger.is_after(index, erasures, entry))
    };
    let (must, may) = bounds.erasures;
    Ok(Recovered {
        batches,
        half_erased: must < may && !(must..=may).any(is_after),
        trace,
    })
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
fn entries(
    store: &Driver,
    found: &[Entry],
    ledger: &Ledger,
    bounds: Bounds,
) -> Result<usize, Wrong> {
    let (must, may) = bounds.batches;
    for (index, entry) in found.iter().enumerate() {
        erased_or_not(ledger, index, entry, bounds.erasures)?;
    }
    if found.len() < ledger.end(must) {
        let (there, must) = (found.len(), ledger.end(must));
        return Err(Wrong::Lost(format!(
            "{must} entries were acknowledged, {there} are there"
        )));
    }
    let wrong = |failure: StoreFailure| Wrong::Unavailable(failure.kind, failure.message);
    let waiting = waiting(store).map_err(wrong)?;
    let mut batches = ledger.batches_with(found.len(), may).peekable();
    if batches.peek().is_none() {
        let what = format!("{} entries: a batch is there in part", found.len());
        return Err(corrupt(what));
    }
    match batches.find(|batches| ledger.waits(*batches, &waiting)) {
        Some(batches) if batches >= must => Ok(batches),
        // One that changed nothing is not missed.
        Some(_) if ledger.waits(must, &waiting) => Ok(must),
        Some(batches) => Err(Wrong::Lost(format!(
            "{must} batches were acknowledged, the stored calls are those after {batches}"
        ))),
        None => Err(corrupt(format!("{waiting:?} belongs to no batch"))),
    }
}

/// Whether an entry is as it was written, or erased, as far as it must be and may be.
pub fn erased_or_not(
    ledger: &Ledger,
    index: usize,
    found: &Entry,
    (must, may): (usize, usize),
) -> Result<(), Wrong> {
    let is = |erasures: usize| ledger.is_after(index, erasures, found);
    if index >= ledger.entries.len() || (must..=may).any(is) {
        return Ok(());
    }
    if (0..must).any(is) {
        return Err(Wrong::Lost(format!("the erasure of {found:?}")));
    }
    let written = &ledger.entries[index];
    Err(corrupt(format!("found {found:?}, written was {written:?}")))
}

/// The calls that wait.
pub fn waiting(store: &Driver) -> Result<Waiting, StoreFailure> {
    let store = store.store();
    Ok(Waiting {
        effects: driver::wait(store.effects(OutboxNumber::ZERO, ALL))?,
        dead: driver::wait(store.dead_letters(OutboxNumber::ZERO, ALL))?,
        timers: driver::wait(store.timers(END, ALL))?,
    })
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
    (ledger, found): (&Ledger, &[Entry]),
    batches: usize,
    random: &mut Random,
) -> Result<(), Wrong> {
    let heads = ledger.heads(batches);
    let ids: Vec<_> = heads.iter().collect();
    for _ in 0..2.min(ids.len()) {
        let (id, head) = ids[random.index(ids.len())];
        let place = (*id, *head, batches);
        load(store, (ledger, found), place, random.percent(50))?;
    }
    Ok(())
}

/// One entity as a runtime recovers it; the entries are those of the store as it is.
pub fn load(
    store: &Driver,
    (ledger, entries): (&Ledger, &[Entry]),
    (id, head, batches): (&PersistenceId, Head, usize),
    take_snapshot: bool,
) -> Result<(), Wrong> {
    let replay = Seen::new(take_snapshot);
    let loaded = driver::wait(store.store().load(id, Box::new(replay)));
    let loaded = loaded.map_err(|error| match error {
        LoadError::Unavailable(failure) => Wrong::Unavailable(failure.kind, failure.message),
        error => failed("an entity does not load")(&error),
    })?;
    let found: Box<dyn Any> = loaded.replay;
    let found = found.downcast::<Seen>().expect("it is what was given");
    let entries = &entries[..ledger.end(batches)];
    let snapshot = ledger.snapshot(id, batches);
    let expected = expected(entries, id, snapshot, take_snapshot);
    if loaded.head != head || *found != expected {
        let head = loaded.head;
        return Err(corrupt(format!(
            "{id} at {head:?}: {found:?}, expected {expected:?}"
        )));
    }
    Ok(())
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
    let effects = ledger.calls(batches).effects(OutboxNumber::ZERO, 1);
    last.deferred = effects.first().map(|effect| {
        Box::new(Deferred {
            settles: Some(Settled::Effect(effect.number)),
            ..Deferred::default()
        })
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
    let left = driver::wait(store.store().effects(OutboxNumber::ZERO, 1));
    let left = left.map_err(|error| failed("the outbox cannot be read")(&error))?;
    if !left.is_empty() && left == effects {
        return Err(corrupt(format!("{left:?} is there after its answer")));
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
