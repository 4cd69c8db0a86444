//! Calls: a command or query as a value, and the future that runs it.

use std::any::{Any, TypeId};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
#[cfg(feature = "testing")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use statefn_store::{PersistenceId, StoredCall};

use crate::call_error::{CallError, Failure};
use crate::chain::Chain;
#[cfg(feature = "testing")]
use crate::command::Mode;
use crate::command::{AnyCommand, MayWrite, Operation};
use crate::effect::{Deferrable, Undeferrable};
use crate::entity::Entity;
use crate::env::BoxFuture;
use crate::forward::{Destination, Forwardable, Forwarder, Unmatched};
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::runtime::core::Accepted;
use crate::runtime::deadline::Deadline;
use crate::runtime::engine::Engine;
use crate::runtime::isolate::{Inside, chain, inside};
use crate::runtime::outcome::{self, Answer};
use crate::runtime::shard::Shard;
use crate::runtime::slot::Slot;
use crate::runtime::step::{Request, RequestOptions};
use crate::sync::thread::{self, Thread};

/// What a generated reference holds: which entity, and the shard that runs it.
pub struct Handle<E> {
    target: Arc<Target>,
    entity: PhantomData<fn() -> E>,
}

/// In the place of a runtime, for a handler that runs once more: notices whether it asks for others.
#[cfg(feature = "testing")]
#[derive(Debug, Default)]
pub(crate) struct Rehearsal(AtomicBool);

#[cfg(feature = "testing")]
impl Rehearsal {
    /// Whether the handler has asked for another entity.
    pub(crate) fn was_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Where calls go.
struct Target {
    id: PersistenceId,
    entity_type: &'static str,
    /// `None` for a reference that a handler made: its calls can be sent on only.
    bound: Option<Bound>,
}

/// The runtime that makes the calls.
struct Bound {
    /// `None` when the runtime does not host the type.
    type_index: Option<u16>,
    shard: Arc<Shard>,
    /// Keeps the runtime's caretaker alive as long as there are references.
    engine: Arc<Engine>,
}

impl<E: Entity> Handle<E> {
    pub(crate) fn new(engine: &Arc<Engine>, id: Box<str>) -> Self {
        let id = PersistenceId::new(E::TYPE, id);
        let bound = Bound {
            type_index: engine.type_index(TypeId::of::<E>()),
            shard: Arc::clone(engine.shard(&id)),
            engine: Arc::clone(engine),
        };
        Self::to(id, Some(bound))
    }

    /// A handle whose calls can be sent on, but not made.
    fn unbound(id: Box<str>) -> Self {
        Self::to(PersistenceId::new(E::TYPE, id), None)
    }

    /// What a handler gets that was given this runtime, or none.
    pub(crate) fn within(runtime: Option<&Arc<dyn Any + Send + Sync>>, id: Box<str>) -> Self {
        match runtime.map(|runtime| Arc::clone(runtime).downcast()) {
            Some(Ok(engine)) => Self::new(&engine, id),
            #[cfg(feature = "testing")]
            Some(Err(other)) => {
                if let Some(rehearsal) = other.downcast_ref::<Rehearsal>() {
                    rehearsal.0.store(true, Ordering::Relaxed);
                }
                Self::unbound(id)
            }
            _ => Self::unbound(id),
        }
    }

    fn to(id: PersistenceId, bound: Option<Bound>) -> Self {
        let target = Target {
            id,
            entity_type: E::TYPE,
            bound,
        };
        Self {
            target: Arc::new(target),
            entity: PhantomData,
        }
    }

    /// A call of this operation on the entity.
    pub fn call<O: Operation<Entity = E>>(&self, operation: O) -> Call<O> {
        Call {
            target: Arc::clone(&self.target),
            operation,
            key: None,
            deadline: None,
            metadata: Metadata::new(),
        }
    }

    /// The entity's id.
    pub fn id(&self) -> &str {
        self.target.id.id()
    }
}

impl<E> Clone for Handle<E> {
    fn clone(&self) -> Self {
        Self {
            target: Arc::clone(&self.target),
            entity: PhantomData,
        }
    }
}

impl<E> fmt::Debug for Handle<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.target.id)
    }
}

/// A command or query with its arguments, on its way to an entity.
///
/// `.await` runs it; [`wait`](Self::wait) runs it from a thread outside an async runtime. Until
/// then nothing has happened, and dropping it has no effect.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
/// # #[statefn::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
/// let counter = runtime.entity::<Counter>("visits");
/// let call = counter.add(2);                       // nothing has happened yet
/// assert_eq!(call.await, Ok(2));                   // on stable storage
/// assert_eq!(counter.add(0).await, Err(CallError::Rejected("0 is not positive".into())));
/// # Ok(())
/// # }
/// ```
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<O: Operation> {
    target: Arc<Target>,
    operation: O,
    key: Option<Box<str>>,
    deadline: Option<Duration>,
    metadata: Metadata,
}

impl<O: Operation> Call<O> {
    /// Bounds how long the caller waits, counted from the first poll.
    ///
    /// A deadline that passes before the handler starts is [`CallError::Timeout`], and the command
    /// never runs. One that passes later is [`CallError::OutcomeUnknown`], and the command runs to
    /// its end. An async handler that is still running ends at the deadline: [`CallError::Timeout`],
    /// and nothing of it has happened. A deadline of zero has passed already.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
    /// use std::time::Duration;
    ///
    /// let counter = runtime.entity::<Counter>("visits");
    /// assert_eq!(counter.add(2).with_deadline(Duration::from_secs(5)).await, Ok(2));
    /// assert_eq!(counter.add(2).with_deadline(Duration::ZERO).await, Err(CallError::Timeout));
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Adds a header that handlers see and that is stored with the events.
    ///
    /// All headers of a call together are at most as long as one payload may be; a longer call is
    /// answered [`CallError::TooLarge`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
    /// let counter = runtime.entity::<Counter>("visits");
    /// counter.add(1).with_metadata("trace-id", "7f3a").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name, value);
        self
    }

    /// Runs the call and blocks the thread until it is answered.
    ///
    /// # Errors
    ///
    /// As the call itself; [`CallError::WaitInsideRuntime`] inside an async runtime, where it
    /// would block a worker. Tokio does not tell its threads for blocking work from its workers, so
    /// that `spawn_blocking` is inside as well: use a thread of your own there.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
    /// # runtime.entity::<Counter>("visits").add(3).await?;
    /// let counter = runtime.entity::<Counter>("visits");
    /// let thread = std::thread::spawn(move || counter.total().wait());
    /// assert_eq!(thread.join().unwrap(), Ok(3));
    /// # assert_eq!(runtime.entity::<Counter>("visits").total().wait(), Err(CallError::WaitInsideRuntime));
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait(self) -> Answer<O> {
        if tokio::runtime::Handle::try_current().is_ok() {
            return Err(CallError::WaitInsideRuntime);
        }
        let mut running = self.into_future();
        // The usual case: answered at once, no waker needed.
        if let Poll::Ready(answer) =
            Pin::new(&mut running).poll(&mut Context::from_waker(Waker::noop()))
        {
            return answer;
        }
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut cx = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(answer) = Pin::new(&mut running).poll(&mut cx) {
                return answer;
            }
            thread::park();
        }
    }
}

impl<O: Operation<Mode: MayWrite>> Call<O> {
    /// Names the call, so that it takes effect at most once: a repetition under the same key
    /// answers what the first one answered, across restarts, within the entity type's retention
    /// (by the wall clock: it must not be set back or forward by as much as that).
    ///
    /// A key belongs to one entity. A domain rejection is remembered like a reply; a command that
    /// was not applied leaves its key free. A key has 1 to 256 bytes (see
    /// [`Limits::key_bytes_max`](crate::Limits::key_bytes_max)).
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
    /// let counter = runtime.entity::<Counter>("visits");
    /// assert_eq!(counter.add(2).with_key("request-1").await, Ok(2));
    /// assert_eq!(counter.add(2).with_key("request-1").await, Ok(2));   // the first answer again
    /// assert!(matches!(
    ///     counter.add(9).with_key("request-1").await,
    ///     Err(CallError::KeyReused { .. })
    /// ));
    /// assert_eq!(counter.total().await, Ok(2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_key(mut self, key: impl Into<Box<str>>) -> Self {
        self.key = Some(key.into());
        self
    }
}

#[cfg(feature = "testing")]
impl<O: Operation> Call<O> {
    /// What the simulator judges an answer by: the operation, to run it once more.
    pub(crate) fn into_operation(self) -> O {
        self.operation
    }

    /// The key, to tell a command that is sent again.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Names the call, whatever it is: a query goes without.
    pub(crate) fn set_key(&mut self, key: &str) {
        if <O::Mode as Mode<O>>::WRITES {
            self.key = Some(key.into());
        }
    }

    /// What is sent along.
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

impl<O: Operation> fmt::Debug for Call<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("entity", &self.target.id)
            .field("operation", &O::NAME)
            .finish_non_exhaustive()
    }
}

impl<O: Operation> IntoFuture for Call<O> {
    type Output = Answer<O>;
    type IntoFuture = Running<O>;

    fn into_future(self) -> Running<O> {
        Running {
            stage: Stage::Fresh(Some(self)),
        }
    }
}

/// A call that runs: the future behind `call.await`.
///
/// # Cancel safety
///
/// Dropped before its first poll, the call never happens. Dropped later, it runs to its end (an
/// async command until its deadline at most).
#[must_use = "a call does nothing until it is awaited"]
pub struct Running<O: Operation> {
    stage: Stage<O>,
}

enum Stage<O: Operation> {
    Fresh(Option<Call<O>>),
    Waiting {
        slot: Arc<Slot<O>>,
        deadline: Option<BoxFuture>,
    },
}

impl<O: Operation> Unpin for Running<O> {}

impl<O: Operation> Future for Running<O> {
    type Output = Answer<O>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer<O>> {
        if inside() == Inside::Handler {
            return Poll::Ready(Err(CallError::Reentrancy));
        }
        if let Stage::Fresh(call) = &mut self.stage {
            let Some(call) = call.take() else {
                return Poll::Ready(Err(Failure::Stopped.widen()));
            };
            match call.accept() {
                Ok((slot, deadline)) => self.stage = Stage::Waiting { slot, deadline },
                Err(answer) => return Poll::Ready(answer),
            }
        }
        let Stage::Waiting { slot, deadline } = &mut self.stage else {
            return Poll::Ready(Err(Failure::Stopped.widen()));
        };
        if let Poll::Ready(answer) = slot.poll(cx) {
            // Whoever keeps a finished future must not keep a place among the waiting calls.
            self.stage = Stage::Fresh(None);
            return Poll::Ready(answer);
        }
        let late = deadline
            .as_mut()
            .is_some_and(|sleep| sleep.as_mut().poll(cx).is_ready());
        if late {
            let answer = match slot.give_up() {
                Some(failure) => Poll::Ready(Err(failure.widen())),
                None => slot.poll(cx),
            };
            if answer.is_ready() {
                self.stage = Stage::Fresh(None);
            } else {
                // It was forwarded, under the same deadline: the target is about to answer.
                *deadline = None;
            }
            return answer;
        }
        Poll::Pending
    }
}

impl<O: Operation> fmt::Debug for Running<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("operation", &O::NAME)
            .finish_non_exhaustive()
    }
}

impl<O: Operation> Call<O> {
    /// The runtime that will make the call.
    pub(crate) fn engine(&self) -> Option<&Arc<Engine>> {
        self.target.bound.as_ref().map(|bound| &bound.engine)
    }
}

type Waiting<O> = (Arc<Slot<O>>, Option<BoxFuture>);

impl<O: Operation> Call<O> {
    /// Hands the call over: an answer at once, or a place to wait.
    fn accept(self) -> Result<Waiting<O>, Answer<O>> {
        let Self {
            target,
            operation,
            key,
            deadline,
            metadata,
        } = self;
        let Some(bound) = &target.bound else {
            return Err(Err(CallError::Reentrancy));
        };
        let shared = bound.shard.shared();
        let type_index = match target.check(bound, key.as_deref()) {
            Ok(type_index) => type_index,
            Err(failure) => return Err(Err(failure.widen())),
        };
        let caller = match target.caller(&shared.limits) {
            Ok(caller) => caller,
            Err(failure) => return Err(Err(failure.widen())),
        };
        if deadline.is_some_and(|deadline| deadline.is_zero()) {
            return Err(Err(CallError::Timeout));
        }
        let env = &shared.env;
        let options = RequestOptions {
            key,
            deadline: Deadline::new(deadline.map(|after| env.now().saturating_add(after))),
            metadata,
            caller,
            origin: None,
        };
        let request = Request { operation, options };
        match bound.shard.call(&target.id, type_index, request) {
            Accepted::Answered(answer) => Err(answer),
            Accepted::Waiting(slot) => Ok((slot, deadline.map(|deadline| env.sleep(deadline)))),
        }
    }
}

impl Target {
    /// What can be said against a call before anything runs.
    fn check(&self, bound: &Bound, key: Option<&str>) -> Result<u16, Failure> {
        let shared = bound.shard.shared();
        if let Some(failure) = shared.refusal() {
            return Err(failure);
        }
        check_name("entity id", self.id.id(), shared.limits.id_bytes_max)?;
        if let Some(key) = key {
            check_name("key", key, shared.limits.key_bytes_max)?;
        }
        bound.type_index.ok_or(Failure::NotHosted {
            entity_type: self.entity_type,
        })
    }

    /// The async commands that wait for this call, which must not come back to one of them.
    fn caller(&self, limits: &Limits) -> Result<Option<Arc<Chain>>, Failure> {
        if inside() == Inside::Nothing {
            return Ok(None);
        }
        let caller = chain();
        if let Some(chain) = &caller {
            chain.admit(&self.id, limits.call_depth_max)?;
        }
        Ok(caller)
    }
}

#[diagnostic::do_not_recommend]
impl<O: AnyCommand> Deferrable for Call<O> {
    fn into_stored(self) -> Result<StoredCall, Undeferrable> {
        let codec = <O::Entity as Entity>::OPTIONS.codec;
        let mut arguments = Vec::new();
        let encoded = codec.encode(&self.operation, &mut arguments);
        encoded.map_err(|error| {
            Undeferrable(Failure::Encoding {
                what: "the arguments of a call that is sent on",
                reason: error.to_string().into(),
            })
        })?;
        let metadata = outcome::encode_metadata(&self.metadata, &Limits::default());
        let metadata = metadata.map_err(Undeferrable)?;
        Ok(StoredCall {
            target: self.target.id.clone(),
            command: O::NAME.into(),
            codec: codec.id(),
            arguments,
            metadata,
            hops: 0,
        })
    }
}

#[diagnostic::do_not_recommend]
impl<O: AnyCommand> Forwardable for Call<O> {
    type Reply = O::Reply;
    type Error = O::Error;

    fn into_forward(mut self, by: Forwarder) -> Unmatched {
        let Forwarder { metadata, chain } = by;
        // Behind its own, which are looked at first.
        self.metadata.append(metadata);
        let (key, deadline) = (self.key.take(), self.deadline);
        let entity_type = self.target.entity_type;
        Unmatched(Destination {
            call: self.into_stored().map_err(|Undeferrable(failure)| failure),
            entity_type,
            key,
            deadline,
            chain,
        })
    }
}

fn check_name(what: &'static str, name: &str, limit: usize) -> Result<(), Failure> {
    if name.is_empty() {
        return Err(Failure::Invalid {
            what,
            reason: "it must have at least one byte".into(),
        });
    }
    if name.len() > limit {
        return Err(Failure::TooLarge {
            what,
            bytes: name.len(),
            limit,
        });
    }
    Ok(())
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
