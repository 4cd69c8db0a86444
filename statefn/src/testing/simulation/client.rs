//! Callers: the ones that a workload drives, and those that a test writes.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use statefn_store::PersistenceId;
use statefn_store::testing::Dice;

use super::errand::{Errand, Heard, Sending, TypedErrand, heard};
use super::history::History;
use super::stage::Stage;
use super::world::Process;
use crate::call::Call;
use crate::call_error::CallError;
use crate::command::Operation;
use crate::entity::{Behavior, EntityRef};
use crate::purge::PurgeError;
use crate::runtime::outcome::Answer;

/// One caller in a [`Simulation`](super::Simulation). Everything it hears is judged.
pub struct Client {
    number: u64,
    dice: Dice,
    stage: Stage,
    history: History,
    /// Within this time every call must be answered.
    patience: Duration,
}

impl Client {
    pub(super) fn new(
        number: u64,
        dice: Dice,
        stage: &Stage,
        history: &History,
        patience: Duration,
    ) -> Self {
        Self {
            number,
            dice,
            stage: stage.clone(),
            history: history.clone(),
            patience,
        }
    }

    /// Which client this is, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// This client's dice, which repeat with the seed.
    pub fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// Waits, in virtual time.
    pub async fn sleep(&self, duration: Duration) {
        self.stage.sleep(duration).await;
    }

    /// Calls the entity `id` and answers what it answered.
    ///
    /// `make` is asked once more when the answer is judged, and must make the same call again. An
    /// error other than a rejection comes a millisecond late, so that a loop of attempts lets time
    /// pass.
    ///
    /// # Errors
    ///
    /// As the call itself, `Fenced` too when another process takes the store over. If the process of the runtime is killed meanwhile, `OutcomeUnknown`.
    ///
    /// # Cancel safety
    ///
    /// As of the call: dropped after its first poll, it runs to its end.
    pub async fn call<R, O>(
        &self,
        id: impl Into<Box<str>>,
        make: impl Fn(&R) -> Call<O> + Send + Sync + 'static,
    ) -> Answer<O>
    where
        R: EntityRef,
        R::Entity: Behavior<Ref = R>,
        O: Operation<Entity = R::Entity>,
    {
        let typed = Arc::new(TypedErrand::new(id, make));
        let errand: Arc<dyn Errand> = Arc::clone(&typed) as _;
        let (process, runtime) = self.stage.runtime().await;
        let mut sending = errand.sending(&runtime);
        self.history.open(self.number, &errand, &mut sending);
        let running = typed.call(&runtime, &sending).into_future();
        let answer = self.await_answer(process, sending.attempt, running, heard::<O>);
        let answer = answer.await.unwrap_or_else(|| {
            let reason = "the process of the runtime was killed".into();
            Err(CallError::OutcomeUnknown { reason })
        });
        if !matches!(answer, Ok(_) | Err(CallError::Rejected(_))) {
            // Whoever tries again at once must not keep the clock from moving.
            self.sleep(Duration::from_millis(1)).await;
        }
        answer
    }

    /// Purges the entity `id`, as [`Runtime::purge`](crate::Runtime::purge) does. What it was, is not to be read in the journal at
    /// the end of the run, if this has answered with success.
    ///
    /// An error comes a millisecond late, as from [`call`](Self::call).
    ///
    /// # Errors
    ///
    /// As the purge itself. If the process of the runtime is killed meanwhile, `OutcomeUnknown`.
    ///
    /// # Cancel safety
    ///
    /// As of the purge: dropped early, it may be done in part.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// use statefn::testing::Simulation;
    ///
    /// # fn main() {
    /// Simulation::of::<(Counter,)>()
    ///     .client(|client| async move {
    ///         let _ = client.call("visits", |counter: &CounterRef| counter.add(1)).await;
    ///         while client.purge::<Counter>("visits").await.is_err() {}
    ///         let total = client.call("visits", |counter: &CounterRef| counter.total()).await;
    ///         assert!(total.is_err() || total == Ok(0));
    ///     })
    ///     .run(0..3);
    /// # }
    /// ```
    pub async fn purge<E: Behavior>(&self, id: &str) -> Result<u64, PurgeError> {
        let (process, runtime) = self.stage.runtime().await;
        let mut running = pin!(runtime.purge::<E>(id));
        let world = self.stage.world();
        let answer = poll_fn(|cx| {
            if world.is_dead(process) {
                return Poll::Ready(None);
            }
            running.as_mut().poll(cx).map(Some)
        });
        let answer = answer.await.unwrap_or_else(|| {
            let reason = "the process of the runtime was killed".into();
            Err(PurgeError::Deletion(CallError::OutcomeUnknown { reason }))
        });
        if answer.is_ok() {
            let id = PersistenceId::new(E::TYPE, id);
            let until = self.stage.last_purge(&id).await;
            self.history.purged(id, until);
        } else {
            self.sleep(Duration::from_millis(1)).await;
        }
        answer
    }

    /// Waits for an answer and writes it down. `None` if the process was killed.
    async fn await_answer<T>(
        &self,
        process: Process,
        attempt: u64,
        running: impl Future<Output = T>,
        heard: impl Fn(&T) -> Heard,
    ) -> Option<T> {
        let _gone = Gone {
            history: &self.history,
            attempt,
        };
        let mut running = pin!(running);
        let world = self.stage.world();
        let answer = poll_fn(|cx| {
            if world.is_dead(process) {
                return Poll::Ready(None);
            }
            running.as_mut().poll(cx).map(Some)
        });
        let answer = answer.await?;
        self.history.heard(attempt, heard(&answer), self.patience);
        Some(answer)
    }

    /// Sends a call once. `None` if the process was killed.
    pub(super) async fn send(
        &self,
        errand: &Arc<dyn Errand>,
        mut sending: Sending,
    ) -> Option<Heard> {
        let (process, runtime) = self.stage.runtime().await;
        let own = errand.sending(&runtime);
        sending.key = sending.key.or(own.key);
        sending.metadata = own.metadata;
        self.history.open(self.number, errand, &mut sending);
        let attempt = sending.attempt;
        let running = errand.send(&runtime, sending);
        self.await_answer(process, attempt, running, Heard::clone)
            .await
    }

    /// Sends a keyed command until its outcome is known.
    pub(super) async fn send_until_known(
        &self,
        errand: Arc<dyn Errand>,
        sending: Sending,
        mut dice: Dice,
    ) {
        const ATTEMPTS_MAX: u64 = 12;
        for attempt in 1..=ATTEMPTS_MAX {
            let heard = self.send(&errand, sending.clone()).await;
            let again = match heard {
                None | Some(Heard::Unknown(_)) => true,
                Some(Heard::NotApplied { retryable, .. }) => retryable,
                Some(Heard::Answer { .. } | Heard::Panicked) => false,
            };
            // Now and then somebody is not content with a good answer either.
            if !again && !dice.chance(200) {
                return;
            }
            self.sleep(Duration::from_millis(dice.between(1..=50 * attempt)))
                .await;
        }
    }

    /// Sends a call and goes away after a while.
    pub(super) async fn send_and_leave(
        &self,
        errand: Arc<dyn Errand>,
        sending: Sending,
        after: Duration,
    ) {
        let mut call = pin!(self.send(&errand, sending));
        let mut time = pin!(self.sleep(after));
        poll_fn(|cx| {
            if call.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            time.as_mut().poll(cx)
        })
        .await;
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// Notes that a caller went away, unless the answer was there first.
struct Gone<'a> {
    history: &'a History,
    attempt: u64,
}

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.history.gone(self.attempt);
    }
}

/// Runs several futures at the same time, each polled for the first time in their order.
pub(super) async fn together<'a>(futures: Vec<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>) {
    let mut futures: Vec<Option<_>> = futures.into_iter().map(Some).collect();
    poll_fn(|cx| {
        let mut all = Poll::Ready(());
        for place in &mut futures {
            let Some(future) = place else { continue };
            if future.as_mut().poll(cx).is_ready() {
                *place = None;
            } else {
                all = Poll::Pending;
            }
        }
        all
    })
    .await;
}
