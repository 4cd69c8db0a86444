//! What the tests have in common: a runtime on a store that can be held and broken, and calls
//! that are polled by hand.

use std::fmt::Write;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use statefn::store::{Entry, Memory, Offset, OwnerEpoch, PersistenceId, Store};
use statefn::testing::VirtualClock;
use statefn::{Builder, CallError, Limits, Overload, Persisted, Runtime};
use statefn_store::testing::Faulty;

use crate::account::{Account, AccountRef};

/// A runtime, the store below it, and the clock that it goes by.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) store: Faulty,
    pub(crate) clock: VirtualClock,
}

impl World {
    /// A world of accounts on an empty store in memory.
    pub(crate) async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    /// The same with other limits.
    pub(crate) async fn with(limits: Limits) -> Self {
        Self::build(|builder| builder.only::<(Account,)>().limits(limits)).await
    }

    /// The same with everything to be said about it.
    pub(crate) async fn build(shape: impl FnOnce(Builder) -> Builder) -> Self {
        Self::over(Faulty::new(Memory::new()), shape).await
    }

    /// The same on a store that exists.
    pub(crate) async fn over(store: Faulty, shape: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = VirtualClock::new();
        let builder = Runtime::builder().store(store.clone()).env(clock.clone());
        let runtime = shape(builder).build().await.unwrap();
        Self {
            runtime,
            store,
            clock,
        }
    }

    pub(crate) fn account(&self, id: &str) -> AccountRef {
        self.runtime.entity::<Account>(id)
    }

    /// Moves the clock in steps small enough for everybody who watches it.
    pub(crate) async fn pass(&self, time: Duration) {
        const STEP: Duration = Duration::from_millis(250);
        let mut left = time;
        while !left.is_zero() {
            let step = left.min(STEP);
            self.clock.advance(step);
            settle().await;
            left -= step;
        }
    }

    /// Everything in the journal of one account.
    pub(crate) async fn journal(&self, id: &str) -> Vec<Entry> {
        let id = PersistenceId::new("account", id);
        let mut entries = self.store.read(Offset::new(1), 100_000).await.unwrap();
        entries.retain(|entry| entry.id == id);
        entries
    }

    /// Nothing is under way, and nothing is held for what was.
    pub(crate) async fn assert_quiet(&self) {
        settle().await;
        assert_eq!(self.runtime.admin().waiting(), 0, "calls that nobody holds");
    }

    /// The epoch of the runtime: the store's newest one.
    pub(crate) fn epoch() -> OwnerEpoch {
        OwnerEpoch::new(1)
    }
}

/// Lets every task run that can.
pub(crate) async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

/// A call that has been polled once and not answered.
#[derive(Debug)]
pub(crate) struct Pending<F>(Pin<Box<F>>);

/// Starts a call that must have to wait.
pub(crate) fn pending<C>(call: C) -> Pending<C::IntoFuture>
where
    C: IntoFuture,
    C::Output: std::fmt::Debug,
{
    let mut future = Box::pin(call.into_future());
    if let Some(output) = poll(&mut future) {
        panic!("expected a call that waits, got {output:?}");
    }
    Pending(future)
}

/// Starts a call that must be answered at once.
pub(crate) fn at_once<C: IntoFuture>(call: C) -> C::Output {
    poll(&mut Box::pin(call.into_future())).expect("expected an answer at once")
}

pub(crate) fn poll<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Option<F::Output> {
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

impl<F: Future> Pending<F> {
    /// The answer, if it is there.
    pub(crate) fn answer(&mut self) -> Option<F::Output> {
        poll(&mut self.0)
    }

    /// The answer, which must be there after all that can run has run.
    pub(crate) async fn now(mut self) -> F::Output {
        settle().await;
        self.answer().expect("expected an answer by now")
    }

    /// Asserts that there is no answer even after all that can run has run.
    pub(crate) async fn assert_waits(&mut self)
    where
        F::Output: std::fmt::Debug,
    {
        settle().await;
        if let Some(output) = self.answer() {
            panic!("expected a call that waits, got {output:?}");
        }
    }
}

impl<F: Future> Future for Pending<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(cx)
    }
}

/// What an error says of its command's effect.
pub(crate) fn persisted<T: std::fmt::Debug, E>(answer: &Result<T, CallError<E>>) -> Persisted {
    match answer {
        Ok(reply) => panic!("expected an error, got {reply:?}"),
        Err(error) => error.persisted(),
    }
}

pub(crate) fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub(crate) fn overloaded<T, E>(by: Overload) -> Result<T, CallError<E>> {
    Err(CallError::Overloaded(by))
}

/// The messages of this thread's tracing events, until it is dropped.
pub(crate) struct Events {
    messages: Arc<Mutex<Vec<String>>>,
    _guard: tracing::subscriber::DefaultGuard,
}

impl Events {
    pub(crate) fn collect() -> Self {
        let collector = Collector::default();
        let messages = Arc::clone(&collector.0);
        Self {
            messages,
            _guard: tracing::subscriber::set_default(collector),
        }
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.count(text) > 0
    }

    pub(crate) fn count(&self, text: &str) -> usize {
        let messages = self.messages.lock().unwrap();
        let found = messages.iter().filter(|message| message.contains(text));
        found.count()
    }
}

#[derive(Default)]
struct Collector(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Collector {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = String::new();
        event.record(
            &mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
                let _ = write!(text, "{}={value:?} ", field.name());
            },
        );
        self.0.lock().unwrap().push(text);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
