//! The simulation as its user holds it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use statefn_store::testing::Dice;
use statefn_store::{Memory, Store};

use super::client::Client;
use super::errand::SimulatedCall;
use super::failure::{Reason, SimulationFailure};
use super::faults::Faults;
use super::plan::Plan;
use super::run::{Outcome, Purpose, run};
use super::totals::Totals;
use crate::limits::Limits;
use crate::runtime::isolate::message;
use crate::system::{Builder, EntitySet};

/// Your entities in a world where everything that can fail does: one seed, one run, repeatable to
/// the last step.
///
/// A run has one thread, a virtual clock, and a store in memory behind a wrapper that fails, delays,
/// refuses, repeats and lies about commits. The runtime crashes, is killed between two steps, and
/// loses its store to another process. Then all faults end, and everything must work again.
/// Afterwards the [oracle](crate::testing::oracle) judges what callers heard against the journal:
/// nothing acknowledged is lost, no command takes effect twice, nothing was answered before its
/// commit, and each answer is the one that its handler gives on the state that the journal leads
/// to. Every seed runs twice, and both runs must be the same.
///
/// Needs the feature `testing`, in `[dev-dependencies]`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
/// use statefn::testing::{SimulatedCall, Simulation};
///
/// # fn main() {
/// let totals = Simulation::of::<(Counter,)>()
///     .workload(|dice| {
///         let id = format!("counter {}", dice.below(3));
///         let amount = dice.below(10) as i64;
///         match dice.below(4) {
///             0 => SimulatedCall::new(id, |counter: &CounterRef| counter.total()),
///             _ => SimulatedCall::new(id, move |counter: &CounterRef| counter.add(amount)),
///         }
///     })
///     .calls(100)
///     .run(0..3);
/// assert_eq!(totals.seeds, 3);
/// assert!(totals.answered > 0 && totals.rejected > 0);
/// # }
/// ```
///
/// What the judge relies on: handlers decide by their arguments, state, id, sequence number, time
/// and metadata only, and two equal replies have equal bytes (a `HashMap` in a reply has not). A
/// rejection or a reply without events that depends on [`Context::now`](crate::Context::now) is
/// tried with the time of its call.
#[derive(Clone)]
pub struct Simulation {
    plan: Plan,
}

impl Simulation {
    /// A simulation of these entities (a tuple), with all faults, 500 calls by 5 callers, and a call
    /// timeout of two seconds.
    pub fn of<S: EntitySet + 'static>() -> Self {
        let plan = Plan {
            host: Arc::new(Builder::only::<S>),
            store: Arc::new(|| Arc::new(Memory::new())),
            faults: Faults::ALL,
            limits: Limits {
                call_timeout: Duration::from_secs(2),
                ..Limits::default()
            },
            workload: None,
            callers: 5,
            calls: 500,
            waits: 1,
            clients: Vec::new(),
            check: None,
        };
        Self { plan }
    }

    /// Draws the calls. Whether they have keys and deadlines, come in bursts, are sent again or
    /// dropped, is up to the simulation.
    #[must_use]
    pub fn workload(
        mut self,
        draw: impl Fn(&mut Dice) -> SimulatedCall + Send + Sync + 'static,
    ) -> Self {
        self.plan.workload = Some(Arc::new(draw));
        self
    }

    /// How many calls the workload makes in a run.
    #[must_use]
    pub fn calls(mut self, calls: usize) -> Self {
        self.plan.calls = calls;
        self
    }

    /// How many callers share the workload, at least one.
    #[must_use]
    pub fn callers(mut self, callers: usize) -> Self {
        self.plan.callers = callers;
        self
    }

    /// Adds a client of your own.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// use statefn::testing::{Faults, Simulation};
    ///
    /// # fn main() {
    /// Simulation::of::<(Counter,)>()
    ///     .client(|client| async move {
    ///         for round in 1..=20 {
    ///             let key = format!("round {round}");
    ///             // Until the answer is known; the key keeps it from counting twice.
    ///             let add = move |counter: &CounterRef| counter.add(1).with_key(key.as_str());
    ///             while client.call("visits", add.clone()).await.is_err() {}
    ///         }
    ///     })
    ///     .check(|client| async move {
    ///         let total = client.call("visits", |counter: &CounterRef| counter.total()).await;
    ///         assert_eq!(total, Ok(20));
    ///     })
    ///     .faults(Faults { dropped: 0, ..Faults::ALL })
    ///     .run(0..3);
    /// # }
    /// ```
    #[must_use]
    pub fn client<F>(mut self, client: impl Fn(Client) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.plan
            .clients
            .push(Arc::new(move |handle| Box::pin(client(handle))));
        self
    }

    /// What must hold at the end, when all faults are gone.
    #[must_use]
    pub fn check<F>(mut self, check: impl Fn(Client) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.plan.check = Some(Arc::new(move |handle| Box::pin(check(handle))));
        self
    }

    /// Other faults than all of them.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.plan.faults = faults;
        self
    }

    /// Other limits; under pressure a run tightens some of them.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.plan.limits = limits;
        self
    }

    /// For how many commands one after another a reply may wait, each as long as the call timeout:
    /// one, unless commands use [`effect_sync`](crate::Context::effect_sync) (two). A caller who
    /// waits longer than that and a second and a half has found a violation.
    #[must_use]
    pub fn replies_wait_for(mut self, commands: u32) -> Self {
        self.plan.waits = commands;
        self
    }

    /// Another store than the one in memory, made anew for each run, empty, and ready at every first
    /// poll: nothing may happen on other threads.
    #[must_use]
    pub fn store<S: Store>(mut self, open: impl Fn() -> S + Send + Sync + 'static) -> Self {
        self.plan.store = Arc::new(move || Arc::new(open()));
        self
    }

    /// Runs one seed, twice.
    ///
    /// # Errors
    ///
    /// Whatever was wrong, with the log of the run.
    pub fn run_seed(&self, seed: u64) -> Result<Totals, SimulationFailure> {
        let first = self.attempt(seed, Purpose::Judge);
        let mut reasons = first.reasons;
        let second = self.attempt(seed, Purpose::Compare);
        if second.trace != first.trace || second.totals != first.totals {
            reasons.push(Reason::Unrepeatable);
        }
        if reasons.is_empty() {
            return Ok(first.totals);
        }
        let log = self.attempt(seed, Purpose::Show).log;
        Err(SimulationFailure { seed, reasons, log })
    }

    /// Runs one seed, once: half the time, for those who only look for violations.
    ///
    /// # Errors
    ///
    /// Whatever was wrong, without a log.
    pub fn try_seed(&self, seed: u64) -> Result<Totals, SimulationFailure> {
        let Outcome {
            totals, reasons, ..
        } = self.attempt(seed, Purpose::Judge);
        if reasons.is_empty() {
            return Ok(totals);
        }
        let log = Vec::new();
        Err(SimulationFailure { seed, reasons, log })
    }

    fn attempt(&self, seed: u64, purpose: Purpose) -> Outcome {
        let outcome = catch_unwind(AssertUnwindSafe(|| run(&self.plan, seed, purpose)));
        outcome.unwrap_or_else(|panic| Outcome {
            totals: Totals::default(),
            reasons: vec![Reason::Panicked(message(panic).to_string())],
            trace: 0,
            log: Vec::new(),
        })
    }

    /// Runs these seeds, each twice, and answers what happened.
    ///
    /// # Panics
    ///
    /// At the first seed that fails, with the reasons and the log.
    pub fn run(&self, seeds: impl IntoIterator<Item = u64>) -> Totals {
        let mut totals = Totals::default();
        for seed in seeds {
            match self.run_seed(seed) {
                Ok(more) => totals = totals.plus(more),
                Err(failure) => panic!("{failure}"),
            }
        }
        totals
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("faults", &self.plan.faults)
            .field("limits", &self.plan.limits)
            .finish_non_exhaustive()
    }
}
