//! A workload on a disk on which an operation fails, once or for ever, or which is full.

use statefn_store::{
    CommitError, Entry, FailureKind, Member, OpenError, Outcome, Store, StoreFailure,
};

use crate::calls;
use crate::change::{Change, holds};
use crate::check::{self, Wrong};
use crate::disk::Disk;
use crate::driver::{self, Driver};
use crate::image::Image;
use crate::ledger::{Ledger, Marks};
use crate::mount::{DATABASE, Mount};
use crate::random::Random;
use crate::trace::Op;
use crate::trouble::{Told, Trouble};
use crate::vfs;
use crate::waiting::Waiting;
use crate::workload::{Run, Shape, Window, Writer, small};

/// Tries that fail before a fault that lasts for ever is taken away.
const PATIENCE: u32 = 3;

/// Tries after which a store whose disk works again must serve.
const TRIES: u32 = 200_000;

/// Runs a workload on a troubled disk, and finds out what is wrong with what the store did. A
/// trouble that lasts ends after some tries.
pub fn run(
    mount: &Mount,
    seed: u64,
    shape: Shape,
    trouble: Trouble,
) -> Result<(Told, Run), String> {
    let disk = Disk::new(&Image::empty(DATABASE), shape.powersafe);
    mount.insert(&disk);
    vfs::seed_randomness(seed);
    match trouble {
        Trouble::Planned(plan) => disk.plan(Some(plan)),
        Trouble::Full(capacity) => disk.set_capacity(Some(capacity)),
    }
    let mut session = Session {
        mount,
        random: Random::new(seed),
        writer: Writer::new(shape),
        trouble,
        healed: None,
        told: Told::default(),
        windows: Vec::new(),
        blind: Vec::new(),
        driver: None,
        disk: std::sync::Arc::clone(&disk),
    };
    session.open(0, Ledger::default())?;
    for number in 0..shape.commits {
        session.commit()?;
        match number % 3 {
            1 => session.tend()?,
            2 => session.erase()?,
            _ => {}
        }
        if number % 5 == 3 {
            session.look()?;
            session.reopen()?;
        }
    }
    session.finish()
}

struct Session<'m> {
    mount: &'m Mount,
    disk: std::sync::Arc<Disk>,
    driver: Option<Driver>,
    writer: Writer,
    random: Random,
    trouble: Trouble,
    /// How often the fault had struck when it was taken away.
    healed: Option<u64>,
    told: Told,
    windows: Vec<Window>,
    blind: Vec<std::ops::Range<usize>>,
}

impl Session<'_> {
    fn driver(&mut self) -> &mut Driver {
        self.driver.as_mut().expect("a store is open")
    }

    /// Something failed: a fault that lasts is taken away after some tries.
    fn failed(&mut self, tries: &mut u32, what: &dyn std::fmt::Debug) -> Result<(), String> {
        *tries += 1;
        if *tries == PATIENCE && self.healed.is_none() {
            self.heal();
        }
        if *tries > TRIES {
            return Err(format!("it does not serve again: {what:?}"));
        }
        std::thread::yield_now();
        Ok(())
    }

    /// A failing disk is no damaged store, and no store that may not be written; a full one is
    /// called by its name.
    fn plausible(&self, failure: &StoreFailure) -> Result<(), String> {
        match failure.kind {
            FailureKind::DiskFull if self.trouble.is_full() => Ok(()),
            FailureKind::Io if !self.trouble.is_full() => Ok(()),
            FailureKind::Busy => Ok(()),
            _ => Err(format!("{:?} is no {failure:?}", self.trouble)),
        }
    }

    fn heal(&mut self) {
        self.healed = Some(self.disk.struck());
        self.disk.plan(None);
        self.disk.set_capacity(None);
    }

    /// Opens the store and takes it over; its closing began after `from` operations of the disk.
    fn open(&mut self, from: usize, mut ledger: Ledger) -> Result<(), String> {
        let mut tries = 0;
        loop {
            match Driver::open(&self.disk, &self.mount.database(), small()) {
                Ok(driver) => {
                    self.driver = Some(driver.with(std::mem::take(&mut ledger)));
                    break;
                }
                Err(error) => {
                    self.told.unopened += 1;
                    self.refused_to_open(&error)?;
                    self.failed(&mut tries, &error)?;
                }
            }
        }
        while let Err(error) = self.driver().claim() {
            self.plausible(&error)?;
            self.failed(&mut tries, &error)?;
        }
        let trace = self.disk.trace();
        let failed = |op: &Op| matches!(op, Op::FailedSync { .. });
        if trace[from..].iter().any(failed) {
            self.blind.push(from..trace.len());
        }
        Ok(())
    }

    fn refused_to_open(&self, error: &OpenError) -> Result<(), String> {
        let OpenError::Failed { failure, .. } = error else {
            return Err(format!("a failing disk is no {error:?}"));
        };
        self.plausible(failure)
    }

    fn commit(&mut self) -> Result<(), String> {
        let driver = self.driver.as_ref().expect("a store is open");
        let groups = self.writer.groups(&mut self.random, &driver.ledger);
        let answers = driver.send(&groups);
        let (mut unknown, mut failed) = (Vec::new(), false);
        let mut sent = usize::MAX;
        for (members, (answer, marks)) in groups.iter().zip(answers) {
            match answer {
                Ok(outcomes) if unknown.is_empty() => {
                    let refused = |o: &Outcome| matches!(o, Outcome::Refused(_));
                    if let Some(refused) = outcomes.iter().find(|outcome| refused(outcome)) {
                        return Err(format!("every member fits: {refused:?}"));
                    }
                    self.told.acknowledged += 1;
                    self.driver().ledger.write(members, marks);
                    continue;
                }
                Ok(_) => return Err("a batch commits after one that nobody knows of".to_owned()),
                Err(CommitError::Unavailable(failure)) => {
                    self.told.not_applied += 1;
                    self.plausible(&failure)?;
                }
                Err(CommitError::Unknown(failure)) => {
                    self.told.unknown += 1;
                    self.plausible(&failure)?;
                    unknown.push((Change::Members(members.clone()), marks));
                }
                Err(other) => return Err(format!("nobody else owns the store: {other:?}")),
            }
            failed = true;
            sent = sent.min(marks.sent);
        }
        if failed {
            self.read_on(&groups)?;
            self.recover(sent, &unknown)?;
        }
        Ok(())
    }

    /// Changes stored calls outside a command.
    fn tend(&mut self) -> Result<(), String> {
        let driver = self.driver.as_ref().expect("a store is open");
        let ledger = &driver.ledger;
        let calls = ledger.calls(ledger.batches.len());
        let changes = calls::changes(&calls, &mut self.random);
        let (answer, marks) = driver.tend(&changes);
        let unknown = match answer {
            Ok(done) => {
                let expected = self.driver().ledger.tend(&changes, marks);
                let is_so = done == expected;
                return is_so
                    .then_some(())
                    .ok_or_else(|| format!("{changes:?} came to {done:?}, not {expected:?}"));
            }
            Err(CommitError::Unavailable(failure)) => {
                self.told.not_applied += 1;
                self.plausible(&failure)?;
                Vec::new()
            }
            Err(CommitError::Unknown(failure)) => {
                self.told.unknown += 1;
                self.plausible(&failure)?;
                vec![(Change::Tend(changes), marks)]
            }
            Err(other) => return Err(format!("nobody else owns the store: {other:?}")),
        };
        self.recover(marks.sent, &unknown)
    }

    /// Erases the past of an entity, again and again until that is done.
    fn erase(&mut self) -> Result<(), String> {
        let driver = self.driver.as_ref().expect("a store is open");
        let (id, records_from) = self.writer.erasure(&mut self.random, &driver.ledger);
        let (mut tries, mut sent) = (0, None);
        loop {
            let (answer, marks) = self.driver().erase(&id, records_from);
            let sent = *sent.get_or_insert(marks.sent);
            match answer {
                Ok(_) => {
                    let marks = Marks { sent, ..marks };
                    self.driver().ledger.erase(&id, records_from, marks);
                    return Ok(());
                }
                Err(CommitError::Unavailable(failure)) => {
                    self.told.not_applied += 1;
                    self.plausible(&failure)?;
                }
                Err(CommitError::Unknown(failure)) => {
                    self.told.unknown += 1;
                    self.plausible(&failure)?;
                }
                Err(other) => return Err(format!("nobody else owns the store: {other:?}")),
            }
            self.serve(&mut tries)?;
            let mut half = self.driver().ledger.clone();
            let done = half.erasures.len();
            half.erase(&id, records_from, marks);
            for (index, entry) in self.found(&mut tries)?.0.iter().enumerate() {
                check::erased_or_not(&half, index, entry, (done, done + 1))
                    .map_err(|wrong| format!("half erased: {wrong:?}"))?;
            }
        }
    }

    /// What is in the store, as soon as that can be read.
    fn found(&mut self, tries: &mut u32) -> Result<(Vec<Entry>, Waiting), String> {
        loop {
            let entries = check::read_all(self.driver());
            match (entries, check::waiting(self.driver())) {
                (Ok(entries), Ok(waiting)) => return Ok((entries, waiting)),
                (entries, waiting) => self.failed(tries, &(entries.err(), waiting.err()))?,
            }
        }
    }

    /// Reads go on while nothing can be written; while nothing can be read either, they say so.
    fn read_on(&self, groups: &[Vec<Member>]) -> Result<(), String> {
        let driver = self.driver.as_ref().expect("a store is open");
        let batches = driver.ledger.batches.len();
        let entries = driver.ledger.now();
        let mut heads = driver.ledger.heads(batches);
        for member in groups.iter().flatten() {
            heads.remove(&member.id);
        }
        for (id, head) in heads.into_iter().take(2) {
            let mut tries = 0;
            let place = (id, head, batches);
            let known = (&driver.ledger, entries.as_slice());
            while let Err(wrong) = check::load(driver, known, place, true) {
                tries += 1;
                let told = match wrong {
                    Wrong::Unavailable(FailureKind::Io | FailureKind::Busy, _)
                        if !self.trouble.spares_reads() =>
                    {
                        break;
                    }
                    // Whoever opens a connection while the log is emptied has to wait for it.
                    Wrong::Unavailable(FailureKind::Busy, _) => tries < TRIES,
                    _ => false,
                };
                if !told {
                    return Err(format!("in trouble: {wrong:?}"));
                }
            }
        }
        Ok(())
    }

    /// Waits until commits are taken again, and finds out what became of the unknown.
    fn recover(&mut self, sent: usize, unknown: &[(Change, Marks)]) -> Result<(), String> {
        let mut known = self.driver().ledger.clone();
        for (change, marks) in unknown {
            change.note(&mut known, *marks, None);
        }
        let mut tries = 0;
        self.serve(&mut tries)?;
        let found = self.found(&mut tries)?;
        for (change, marks) in unknown {
            if holds(&self.driver().ledger, &found) {
                break;
            }
            self.told.applied += 1;
            let acknowledged = Some(self.disk.noted());
            change.note(&mut self.driver().ledger, *marks, acknowledged);
        }
        let ledger = &self.driver.as_ref().expect("a store is open").ledger;
        if !holds(ledger, &found) {
            let (found, known) = (found.0.len(), ledger.entries.len());
            return Err(format!(
                "{found} entries after the failure, {known} are known, or other calls"
            ));
        }
        self.writer.follow(ledger);
        self.windows.push(Window {
            moments: sent..self.disk.noted(),
            ledger: known,
        });
        Ok(())
    }

    /// Waits until commits are taken.
    fn serve(&mut self, tries: &mut u32) -> Result<(), String> {
        loop {
            let answer = self
                .driver()
                .send(&[Vec::new()])
                .pop()
                .expect("one answer")
                .0;
            match answer {
                Ok(_) => return Ok(()),
                Err(CommitError::Unavailable(error) | CommitError::Unknown(error)) => {
                    self.plausible(&error)?;
                    self.failed(tries, &error)?;
                }
                Err(error) => return Err(format!("{error:?}")),
            }
        }
    }

    /// A check of the whole store fails or finds nothing: it never finds what is not there.
    fn look(&mut self) -> Result<(), String> {
        self.read_on(&[])?;
        match driver::wait(self.driver().store().verify()) {
            Ok(report) if report.faults.is_empty() => Ok(()),
            Ok(report) => Err(format!("verify finds {report:?}")),
            Err(failure) => self.plausible(&failure),
        }
    }

    fn reopen(&mut self) -> Result<(), String> {
        let from = self.disk.noted();
        let driver = self.driver.take().expect("a store is open");
        let (closed, ledger) = driver.close();
        if let Err(failure) = closed {
            self.plausible(&failure)?;
        }
        self.open(from, ledger)
    }

    fn finish(mut self) -> Result<(Told, Run), String> {
        if self.healed.is_none() {
            self.heal();
        }
        self.serve(&mut 0)?;
        self.told.struck = self.healed.unwrap_or(0);
        let wrong = |wrong| format!("at the end: {wrong:?}");
        let driver = self.driver.take().expect("a store is open");
        let entries = check::read_all(&driver).map_err(wrong)?;
        let found = (
            entries,
            check::waiting(&driver).map_err(|error| error.to_string())?,
        );
        if !holds(&driver.ledger, &found) {
            let (found, known) = (found.0.len(), driver.ledger.entries.len());
            return Err(format!(
                "{found} entries at the end, {known} are known, or other calls"
            ));
        }
        let batches = driver.ledger.batches.len();
        for (id, head) in driver.ledger.heads(batches) {
            let known = (&driver.ledger, found.0.as_slice());
            check::load(&driver, known, (id, head, batches), false).map_err(wrong)?;
        }
        let report = driver::wait(driver.store().verify()).map_err(|error| error.to_string())?;
        if !report.faults.is_empty() {
            return Err(format!("at the end verify finds {:?}", report.faults));
        }
        let (closed, ledger) = driver.close();
        closed.map_err(|error| format!("it does not close: {error:?}"))?;
        let run = Run {
            trace: self.disk.trace(),
            ledger,
            powersafe: self.disk.is_powersafe(),
            windows: self.windows,
            blind: self.blind,
        };
        Ok((self.told, run))
    }
}
