//! Asks a store one thing after another, and knows to the operation when each was answered.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use statefn_store::{
    Batch, CommitError, Member, OpenError, Outcome, OwnerEpoch, PersistenceId, Sqlite, Store,
    StoreFailure, Tending, Timestamp,
};

use crate::disk::Disk;
use crate::ledger::{Claim, Ledger, Marks};
use crate::mount;

/// What the store answered to a batch.
pub type Answer = Result<Vec<Outcome>, CommitError>;

/// Nothing that a store does on a disk in memory takes this long: whoever waits longer, waits for
/// ever.
const FOR_EVER: Duration = Duration::from_secs(60);

/// Runs a future to its end, which comes.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    Request::send(&Disk::new(&crate::image::Image::default(), true), future)
        .wait()
        .0
}

/// A future under way, and the moment of its answer.
#[must_use]
struct Request<'f, T> {
    future: Pin<Box<dyn Future<Output = T> + 'f>>,
    alarm: Arc<Alarm>,
    sent: usize,
    ready: Option<T>,
}

/// Notes the moment of an answer on the thread that answers, before it does anything else.
struct Alarm {
    disk: Arc<Disk>,
    rung: Mutex<Option<usize>>,
    changed: Condvar,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        let mut rung = self.rung.lock().expect("no panic under the lock");
        rung.get_or_insert_with(|| self.disk.noted());
        self.changed.notify_all();
        drop(rung);
        self.disk.nudge();
    }
}

impl<'f, T> Request<'f, T> {
    /// Sends it.
    fn send(disk: &Arc<Disk>, future: impl Future<Output = T> + 'f) -> Self {
        let alarm = Arc::new(Alarm {
            disk: Arc::clone(disk),
            rung: Mutex::default(),
            changed: Condvar::new(),
        });
        let mut request = Self {
            future: Box::pin(future),
            alarm,
            sent: disk.noted(),
            ready: None,
        };
        if let Poll::Ready(value) = request.poll() {
            request.ready = Some(value);
        }
        request
    }

    /// Waits until the store stands at the disk with it, or has answered: from now on it counts as
    /// sent. The disk must be held.
    fn begun(&mut self) {
        let alarm = Arc::clone(&self.alarm);
        if self.ready.is_none() {
            let rung = || {
                alarm
                    .rung
                    .lock()
                    .expect("no panic under the lock")
                    .is_some()
            };
            alarm.disk.wait_for_waiting(rung);
        }
        self.sent = self.sent.max(alarm.disk.noted());
    }

    fn poll(&mut self) -> Poll<T> {
        let waker = Waker::from(Arc::clone(&self.alarm));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// The answer, and the marks of the request if it was acknowledged with it.
    fn wait(mut self) -> (T, Marks) {
        let sent = self.sent;
        if let Some(value) = self.ready.take() {
            let acknowledged = Some(self.alarm.disk.noted());
            return (value, Marks { sent, acknowledged });
        }
        loop {
            let rung = self.alarm.rung.lock().expect("no panic under the lock");
            let (mut rung, waited) = self
                .alarm
                .changed
                .wait_timeout_while(rung, FOR_EVER, |rung| rung.is_none())
                .expect("no panic under the lock");
            assert!(!waited.timed_out(), "a caller waits for ever");
            let acknowledged = rung.take();
            drop(rung);
            if let Poll::Ready(value) = self.poll() {
                return (value, Marks { sent, acknowledged });
            }
        }
    }
}

/// A store on a simulated disk, with the ledger of what it was told.
#[derive(Debug)]
pub struct Driver {
    disk: Arc<Disk>,
    store: Sqlite,
    epoch: OwnerEpoch,
    /// What was acknowledged so far.
    pub ledger: Ledger,
}

impl Driver {
    /// Opens the store.
    pub fn open(
        disk: &Arc<Disk>,
        path: &Path,
        tuning: statefn_store::sqlite::Tuning,
    ) -> Result<Self, OpenError> {
        mount::mirror_journal(disk, path);
        Ok(Self {
            disk: Arc::clone(disk),
            store: Sqlite::open_tuned(path, tuning)?,
            epoch: OwnerEpoch::new(0),
            ledger: Ledger::default(),
        })
    }

    /// The same with the ledger of an earlier one.
    #[must_use]
    pub fn with(mut self, ledger: Ledger) -> Self {
        self.ledger = ledger;
        self
    }

    /// The store.
    pub fn store(&self) -> &Sqlite {
        &self.store
    }

    /// The disk.
    pub fn disk(&self) -> &Arc<Disk> {
        &self.disk
    }

    /// The epoch of the last claim.
    pub fn epoch(&self) -> OwnerEpoch {
        self.epoch
    }

    /// Takes the store over.
    pub fn claim(&mut self) -> Result<OwnerEpoch, StoreFailure> {
        let (claimed, mut marks) = self.alone(self.store.claim());
        if claimed.is_err() {
            marks.acknowledged = None;
        }
        let epoch = claimed.as_ref().map_or(0, |epoch| epoch.get());
        self.ledger.claims.push(Claim { marks, epoch });
        self.epoch = claimed?;
        Ok(self.epoch)
    }

    /// Commits groups of members, each as a batch: the first one alone, those that come while it
    /// commits in one transaction. Answers come with their marks.
    pub fn send(&self, groups: &[Vec<Member>]) -> Vec<(Answer, Marks)> {
        self.disk.hold();
        let mut requests = Vec::with_capacity(groups.len());
        for (index, members) in groups.iter().enumerate() {
            let batch = Batch {
                epoch: self.epoch,
                members: members.clone(),
            };
            let mut request = Request::send(&self.disk, self.store.commit(batch));
            if index == 0 {
                request.begun();
            }
            requests.push(request);
        }
        self.disk.go_on();
        let mut answers: Vec<_> = requests.into_iter().map(Request::wait).collect();
        // One transaction is acknowledged at once; its first caller passes the answers on.
        if let [_, (_, first), others @ ..] = answers.as_mut_slice() {
            for (_, marks) in others {
                marks.acknowledged = marks.acknowledged.min(first.acknowledged);
            }
        }
        answers
    }

    /// Does something while the writer stands still.
    pub fn meanwhile(&self, work: impl FnOnce(&Self)) {
        self.disk.hold();
        let (epoch, members) = (self.epoch, Vec::new());
        let batch = self.store.commit(Batch { epoch, members });
        let mut request = Request::send(&self.disk, batch);
        request.begun();
        work(self);
        self.disk.go_on();
        request.wait().0.expect("a healthy disk");
    }

    /// Commits groups that must be taken, and writes them down.
    pub fn commit(&mut self, groups: &[Vec<Member>]) {
        let answers = self.send(groups);
        for (members, (answer, marks)) in groups.iter().zip(answers) {
            let outcomes = answer.expect("a healthy disk");
            let committed = |outcome: &Outcome| matches!(outcome, Outcome::Committed { .. });
            let taken: Vec<Member> = members
                .iter()
                .zip(&outcomes)
                .filter(|(_, outcome)| committed(outcome))
                .map(|(member, _)| member.clone())
                .collect();
            self.ledger.write(&taken, marks);
        }
    }

    /// Changes stored calls outside a command.
    pub fn tend(&self, changes: &[Tending]) -> (Result<Vec<bool>, CommitError>, Marks) {
        self.alone(self.store.tend(self.epoch, changes.to_vec()))
    }

    /// Erases what was before an entity's newest deletion.
    pub fn erase(
        &self,
        id: &PersistenceId,
        records_from: Timestamp,
    ) -> (Result<u64, CommitError>, Marks) {
        let (erased, mut marks) = self.alone(self.store.erase(self.epoch, id, records_from));
        // Of several transactions, the last may be answered before anybody waits for it.
        marks.acknowledged = Some(self.disk.noted());
        (erased, marks)
    }

    /// A request while there is no other one.
    fn alone<T>(&self, request: impl Future<Output = T>) -> (T, Marks) {
        self.disk.hold();
        let mut request = Request::send(&self.disk, request);
        request.begun();
        self.disk.go_on();
        request.wait()
    }

    /// Closes the store and hands out the ledger.
    pub fn close(self) -> (Result<(), StoreFailure>, Ledger) {
        let closed = wait(self.store.close());
        (closed, self.ledger)
    }
}
