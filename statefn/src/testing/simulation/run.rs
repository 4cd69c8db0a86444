//! One run of one seed.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use statefn_store::testing::{Dice, Faulty};
use statefn_store::{Entry, EntryBody, Offset, Store};
use tokio::sync::Semaphore;

use super::client::{Client, together};
use super::errand::{Errand, Heard, Sending};
use super::failure::Reason;
use super::faults::Faults;
use super::history::{End, History, Purged, Sent};
use super::judge::judge;
use super::plan::{Plan, Workload};
use super::stage::Stage;
use super::storage::Recorder;
use super::totals::Totals;
use super::world::{HARNESS, World};
use crate::env::{BoxFuture, Env};

/// Beyond this much virtual time nobody waits for anything any more.
const END: Duration = Duration::from_secs(4 * 60 * 60);

/// How late an answer may be: the runtime looks for late calls about once a second.
const GRACE: Duration = Duration::from_millis(1500);

/// What became of a run.
pub(super) struct Outcome {
    pub(super) totals: Totals,
    pub(super) reasons: Vec<Reason>,
    /// Two runs of one seed have the same.
    pub(super) trace: u64,
    pub(super) log: Vec<String>,
}

/// What a run is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be judged.
    Judge,
    /// To be compared with another run.
    Compare,
    /// To be shown.
    Show,
}

/// Runs a seed.
pub(super) fn run(plan: &Plan, seed: u64, purpose: Purpose) -> Outcome {
    let mut dice = Dice::new(seed);
    let world = World::new(dice.fork(), purpose == Purpose::Show);
    let faults = plan.faults.draw(&mut dice);
    let limits = faults.limits(&plan.limits, &mut dice);
    world.note(|| format!("{faults:?}, {limits:?}"));
    let recorder = Recorder::new((plan.store)(), world.clone());
    let store = Faulty::new(recorder.clone());
    let env = world.env(HARNESS);
    store.sleep_with(move |duration| env.sleep(duration));
    store.by_seed(dice.number(), faults.store);
    let shards = 1 + dice.index(8);
    let patience = limits.call_timeout * plan.waits + GRACE;
    let stage = Stage::new(&world, store, Arc::clone(&plan.host), limits, shards);
    let show = Play {
        history: History::new(world.clone()),
        stage,
        faults,
        patience,
        reasons: Arc::default(),
    };
    let main = show.clone().play(plan.clone(), dice.fork());
    if !world.run(Box::pin(main), END) {
        show.fail(Reason::Stuck);
    }
    show.end(&world, &recorder, purpose)
}

/// A run while it lasts.
#[derive(Clone)]
struct Play {
    stage: Stage,
    history: History,
    faults: Faults,
    patience: Duration,
    reasons: Arc<Mutex<Vec<Reason>>>,
}

impl Play {
    fn fail(&self, reason: Reason) {
        let reasons = self.reasons.lock();
        let mut reasons = reasons.unwrap_or_else(PoisonError::into_inner);
        reasons.push(reason);
    }

    async fn play(self, plan: Plan, mut dice: Dice) {
        self.stage.boot().await;
        let trouble = self.stage.clone().trouble(self.faults.clone(), dice.fork());
        self.stage.world().spawn(HARNESS, Box::pin(trouble));
        self.clients(&plan, &mut dice).await;
        self.stage.heal();
        // Until the last late call is answered and the last refused entity tries again.
        self.stage.sleep(Duration::from_secs(180)).await;
        self.probe().await;
        if let Some(check) = &plan.check {
            check(self.client(0, dice.fork())).await;
        }
        self.rest().await;
    }

    fn client(&self, number: u64, dice: Dice) -> Client {
        Client::new(number, dice, &self.stage, &self.history, self.patience)
    }

    /// Runs all clients to their end.
    async fn clients(&self, plan: &Plan, dice: &mut Dice) {
        let ended = Arc::new(Semaphore::new(0));
        let mut count = 0;
        let mut start = |client: BoxFuture| {
            count += 1;
            let ended = Arc::clone(&ended);
            let tracked = async move {
                client.await;
                ended.add_permits(1);
            };
            self.stage.world().spawn(HARNESS, Box::pin(tracked));
        };
        let mut number = 0;
        if let Some(workload) = &plan.workload {
            let callers = plan.callers.max(1);
            for index in 0..callers {
                number += 1;
                let share = plan.calls / callers + usize::from(index < plan.calls % callers);
                let client = self.client(number, dice.fork());
                let workload = Arc::clone(workload);
                start(Box::pin(drive(
                    client,
                    workload,
                    share,
                    self.faults.clone(),
                )));
            }
        }
        for client in &plan.clients {
            number += 1;
            start(client(self.client(number, dice.fork())));
        }
        // The semaphore is never closed.
        let _ = ended.acquire_many(count).await;
    }

    /// With all faults gone every entity must answer.
    async fn probe(&self) {
        let prober = self.client(0, Dice::new(0));
        // Twice: an entity that has just written must be able to go on from there.
        let errands = self.history.last_errands();
        for errand in errands.iter().chain(&errands) {
            let heard = prober.send(errand, Sending::default()).await;
            if !matches!(heard, Some(Heard::Answer { .. } | Heard::Panicked)) {
                self.fail(Reason::NotLive {
                    call: format!("{} of {}", errand.name(), errand.entity()),
                    answer: format!("{heard:?}"),
                });
            }
        }
    }

    /// The runtime comes to rest, and its store is clean.
    async fn rest(&self) {
        let (_, runtime) = self.stage.runtime().await;
        let waiting = runtime.admin().waiting();
        if waiting > 0 {
            self.fail(Reason::Restless(format!("{waiting} calls wait")));
        }
        match runtime.admin().verify().await {
            Ok(verification) if verification.is_clean() => {}
            other => self.fail(Reason::Unclean(format!("{other:?}"))),
        }
        match runtime.shutdown(Duration::from_secs(60)).await {
            Ok(true) => {}
            other => self.fail(Reason::Restless(format!("shutdown: {other:?}"))),
        }
    }

    /// Judges the run.
    fn end(&self, world: &World, recorder: &Recorder, purpose: Purpose) -> Outcome {
        let purged = self.history.take_purged();
        let (sent, late) = self.history.take();
        for line in late {
            self.fail(Reason::Late(line));
        }
        let journal = statefn_store::testing::block_on(recorder.read(Offset::ZERO, usize::MAX));
        let journal = journal.unwrap_or_else(|failure| {
            self.fail(Reason::Unclean(format!("{failure:?}")));
            Vec::new()
        });
        let judged = purpose == Purpose::Judge;
        let written = recorder.written();
        self.erased(&journal, &written, &purged);
        if let Some(runtime) = self.stage.last_runtime().filter(|_| judged) {
            for violation in judge(&sent, &written, recorder, &runtime) {
                self.fail(Reason::Violation(violation));
            }
        }
        let totals = self.totals(&sent, journal.len() as u64, world.now());
        let (trace, log) = world.end();
        let reasons = self.reasons.lock();
        let mut reasons = reasons.unwrap_or_else(PoisonError::into_inner);
        Outcome {
            totals,
            reasons: std::mem::take(&mut *reasons),
            trace,
            log,
        }
    }

    /// The journal is what was written, but for what was erased; and what was purged is.
    fn erased(&self, journal: &[Entry], written: &[Entry], purged: &[Purged]) {
        let is_erased = |entry: &Entry| matches!(entry.body, EntryBody::Erased { .. });
        let mut pairs = journal.iter().zip(written);
        let other = pairs.find(|(entry, written)| entry != written && !is_erased(entry));
        if let Some((entry, _)) = other.filter(|_| journal.len() == written.len()) {
            let what = format!("{} is not what was written", entry.offset);
            self.fail(Reason::Unclean(what));
        }
        if journal.len() != written.len() {
            let what = format!("{} entries, {} were written", journal.len(), written.len());
            self.fail(Reason::Unclean(what));
        }
        for Purged { id, until } in purged {
            let past = |entry: &&Entry| entry.id == *id && entry.offset < *until;
            let left = journal.iter().filter(past).find(|entry| !is_erased(entry));
            if let Some(entry) = left {
                let what = format!("{id} was purged, and offset {} is there", entry.offset);
                self.fail(Reason::Unclean(what));
            }
        }
    }

    fn totals(&self, sent: &[Sent], events: u64, time: Duration) -> Totals {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let outages = &self.stage.outages;
        let mut totals = Totals {
            seeds: 1,
            calls: sent.len() as u64,
            events,
            crashes: count(&outages.crashes),
            kills: count(&outages.kills),
            takeovers: count(&outages.takeovers),
            clock_jumps: count(&outages.clock_jumps),
            faults: self.stage.faulty.happened(),
            time,
            ..Totals::default()
        };
        for sent in sent {
            let counter = match &sent.end {
                End::Heard(_, Heard::Answer { rejected: true, .. }) => &mut totals.rejected,
                End::Heard(_, Heard::Answer { .. }) => &mut totals.answered,
                End::Heard(_, Heard::NotApplied { .. } | Heard::Panicked) => {
                    &mut totals.not_applied
                }
                End::Heard(_, Heard::Unknown(_)) => &mut totals.unknown,
                End::Gone | End::Open => &mut totals.abandoned,
            };
            *counter += 1;
        }
        totals
    }
}

/// A call on its way, as one of a burst.
type Send<'a> = Pin<Box<dyn Future<Output = ()> + std::marker::Send + 'a>>;

/// Sends what the workload says, in bursts.
async fn drive(mut client: Client, workload: Workload, calls: usize, faults: Faults) {
    let mut left = calls;
    let mut keys = 0;
    while left > 0 {
        let burst = (1 + client.dice().index(6)).min(left);
        left -= burst;
        let mut drawn = Vec::new();
        for _ in 0..burst {
            keys += 1;
            let key = format!("{}-{keys}", client.number());
            let call = workload(client.dice());
            drawn.push(Drawn::draw(call.errand(), key, &faults, client.dice()));
        }
        let sends = drawn.into_iter().flat_map(|drawn| drawn.sends(&client));
        together(sends.collect()).await;
        let pause = client.dice().between(0..=100);
        client.sleep(Duration::from_millis(pause)).await;
    }
}

/// How one call is sent.
struct Drawn {
    errand: Arc<dyn Errand>,
    sending: Sending,
    /// After this long its caller goes away.
    leaves: Option<Duration>,
    /// Whether somebody else sends it at the same time.
    twice: bool,
    dice: Dice,
}

impl Drawn {
    fn draw(errand: &Arc<dyn Errand>, key: String, faults: &Faults, dice: &mut Dice) -> Self {
        let deadline = dice.chance(faults.deadlines);
        let leaves = dice.chance(faults.dropped);
        let keyed = errand.writes() && dice.chance(faults.keyed);
        let sending = Sending {
            deadline: deadline.then(|| Duration::from_millis(dice.between(0..=200))),
            key: keyed.then_some(key),
            ..Sending::default()
        };
        Self {
            errand: Arc::clone(errand),
            sending,
            leaves: leaves.then(|| Duration::from_millis(dice.between(0..=20))),
            twice: keyed && dice.chance(200),
            dice: dice.fork(),
        }
    }

    fn sends(mut self, client: &Client) -> Vec<Send<'_>> {
        let mut sends: Vec<Send<'_>> = Vec::new();
        if self.twice {
            let (errand, sending) = (Arc::clone(&self.errand), self.sending.clone());
            let dice = self.dice.fork();
            sends.push(Box::pin(client.send_until_known(errand, sending, dice)));
        }
        let Self {
            errand,
            sending,
            leaves,
            dice,
            ..
        } = self;
        sends.push(match leaves {
            Some(after) => Box::pin(client.send_and_leave(errand, sending, after)),
            None if sending.key.is_some() => {
                Box::pin(client.send_until_known(errand, sending, dice))
            }
            None => Box::pin(async move {
                drop(client.send(&errand, sending).await);
            }),
        });
        sends
    }
}
