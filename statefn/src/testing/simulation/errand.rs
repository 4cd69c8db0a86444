//! A call as a simulation knows it: made anew for each attempt, and once more for the judge.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Waker};

use statefn_store::{Entry, EntryBody, PersistenceId, SequenceNumber, Timestamp};

use crate::call::{Call, Rehearsal};
use crate::call_error::{CallError, Failure, Persisted};
use crate::chain::Chain;
use crate::codec::Codec;
use crate::command::{Mode, Operation};
use crate::context::{Context, Wishes};
use crate::entity::{Behavior, Entity, EntityRef};
use crate::event::{self, Event};
use crate::hash::stable_128;
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::reply::{Handled, Said};
use crate::runtime::decision::{Form, conclude};
use crate::runtime::handler::{End, Handling, Work};
use crate::runtime::isolate::isolate;
use crate::runtime::outcome::Answer;
use crate::runtime::resident::Resident;
use crate::system::Runtime;
use crate::testing::oracle::ATTEMPT_HEADER;

use super::change::Change;

/// A call to one entity, for a [`Simulation`](super::Simulation).
///
/// The closure is asked for the call whenever it is sent, and once more when the answer is judged:
/// it must make the same call each time.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
/// use statefn::testing::SimulatedCall;
///
/// # fn main() {
/// let call = SimulatedCall::new("visits", |counter: &CounterRef| counter.add(2));
/// assert_eq!(format!("{call:?}"), "add of counter/visits");
/// # }
/// ```
#[derive(Clone)]
pub struct SimulatedCall(Arc<dyn Errand>);

impl SimulatedCall {
    /// The call that `make` makes of a reference to the entity `id`.
    pub fn new<R, O>(
        id: impl Into<Box<str>>,
        make: impl Fn(&R) -> Call<O> + Send + Sync + 'static,
    ) -> Self
    where
        R: EntityRef,
        R::Entity: Behavior<Ref = R>,
        O: Operation<Entity = R::Entity>,
    {
        Self(Arc::new(TypedErrand::new(id, make)))
    }

    pub(super) fn errand(&self) -> &Arc<dyn Errand> {
        &self.0
    }
}

impl fmt::Debug for SimulatedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.0.name(), self.0.entity())
    }
}

/// A call whose type is forgotten.
pub(super) trait Errand: Send + Sync {
    /// Who is called.
    fn entity(&self) -> &PersistenceId;

    /// The operation's name.
    fn name(&self) -> &'static str;

    /// Whether the call takes a key.
    fn writes(&self) -> bool;

    /// What the call says of itself.
    fn sending(&self, runtime: &Runtime) -> Sending;

    /// Makes the call and runs it.
    fn send(
        &self,
        runtime: &Runtime,
        sending: Sending,
    ) -> Pin<Box<dyn Future<Output = Heard> + Send>>;

    /// The entity's state before its first event.
    fn beginning(&self) -> Box<dyn Folded>;

    /// What the handler does on this state, now or then.
    fn again(&self, runtime: &Runtime, state: &dyn Folded, at: Moment) -> Rehearsed;
}

/// What is said about a call, by itself or by the simulation.
#[derive(Clone, Debug, Default)]
pub(super) struct Sending {
    pub(super) attempt: u64,
    pub(super) key: Option<String>,
    /// Its own, without what the simulation adds.
    pub(super) metadata: Metadata,
    pub(super) deadline: Option<std::time::Duration>,
}

/// What a caller heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A reply or rejection, as it would be stored.
    Answer { bytes: Vec<u8>, rejected: bool },
    /// An error that says "not applied", and whether to try again.
    NotApplied { retryable: bool, text: String },
    /// The handler panicked: not applied.
    Panicked,
    /// An error that says that nobody knows.
    Unknown(String),
}

/// When and with what a handler runs.
pub(super) struct Moment {
    pub(super) sequence: SequenceNumber,
    pub(super) now: Timestamp,
    pub(super) metadata: Metadata,
}

/// What came of running a handler once more.
pub(super) enum Rehearsed {
    /// It did this.
    Did(Again),
    /// It fails.
    Fails,
    /// Nobody can tell: it waits for others, who are not there any more.
    Unknowable,
}

/// What a handler did when it ran once more.
pub(super) struct Again {
    pub(super) answer: Vec<u8>,
    pub(super) changes: Vec<Change>,
}

/// A call with its types.
pub(super) struct TypedErrand<R, O, F> {
    id: PersistenceId,
    make: F,
    types: PhantomData<fn() -> (R, O)>,
}

impl<R, O, F> TypedErrand<R, O, F>
where
    R: EntityRef,
    R::Entity: Behavior<Ref = R>,
    O: Operation<Entity = R::Entity>,
    F: Fn(&R) -> Call<O> + Send + Sync + 'static,
{
    pub(super) fn new(id: impl Into<Box<str>>, make: F) -> Self {
        Self {
            id: PersistenceId::new(<R::Entity as Entity>::TYPE, id),
            make,
            types: PhantomData,
        }
    }

    /// The call, as it is sent.
    pub(super) fn call(&self, runtime: &Runtime, sending: &Sending) -> Call<O> {
        let mut call = (self.make)(&runtime.entity::<R::Entity>(self.id.id()));
        call = call.with_metadata(ATTEMPT_HEADER, sending.attempt.to_string());
        if let Some(key) = &sending.key {
            call.set_key(key);
        }
        match sending.deadline {
            Some(deadline) => call.with_deadline(deadline),
            None => call,
        }
    }
}

impl<R, O, F> Errand for TypedErrand<R, O, F>
where
    R: EntityRef,
    R::Entity: Behavior<Ref = R>,
    O: Operation<Entity = R::Entity>,
    F: Fn(&R) -> Call<O> + Send + Sync + 'static,
{
    fn entity(&self) -> &PersistenceId {
        &self.id
    }

    fn name(&self) -> &'static str {
        O::NAME
    }

    fn writes(&self) -> bool {
        <O::Mode as Mode<O>>::WRITES
    }

    fn sending(&self, runtime: &Runtime) -> Sending {
        let call = (self.make)(&runtime.entity::<R::Entity>(self.id.id()));
        Sending {
            key: call.key().map(str::to_owned),
            metadata: call.metadata().clone(),
            ..Sending::default()
        }
    }

    fn send(
        &self,
        runtime: &Runtime,
        sending: Sending,
    ) -> Pin<Box<dyn Future<Output = Heard> + Send>> {
        let running = self.call(runtime, &sending).into_future();
        Box::pin(async move { heard::<O>(&running.await) })
    }

    fn beginning(&self) -> Box<dyn Folded> {
        Box::new(State::<R::Entity>(Resident::new(R::Entity::default())))
    }

    fn again(&self, runtime: &Runtime, state: &dyn Folded, at: Moment) -> Rehearsed {
        let entity = state.copy().and_then(|state| state.downcast().ok());
        let Some(entity) = entity else {
            return Rehearsed::Fails;
        };
        let operation = self.call(runtime, &Sending::default()).into_operation();
        let now = at.now;
        let context = Context::new(self.id.clone(), at.sequence, now, at.metadata);
        let ran = if <O::Mode as Mode<O>>::WAITS {
            rehearse(operation, entity, context)
        } else {
            run(operation, entity, context)
        };
        let (handled, wishes, mut work) = match ran {
            Ran::Ended(handled, wishes, work) => (handled, wishes, work),
            Ran::Fails => return Rehearsed::Fails,
            Ran::Unknowable => return Rehearsed::Unknowable,
        };
        let form = Form {
            codec: <R::Entity as Entity>::OPTIONS.codec,
            shape: 0,
            limits: &Limits::default(),
        };
        let concluded = isolate(|| {
            let Work { entity, copy } = &mut work;
            conclude(handled, &wishes, copy.as_mut(), entity, form)
        });
        match concluded {
            Ok(Ok(decision)) => {
                let answer = match &decision.answer {
                    Said::Reply(reply) => Ok(reply),
                    Said::Rejected(rejection) => Err(rejection),
                    // Its target has the answer.
                    Said::Forward(_) => return Rehearsed::Unknowable,
                };
                Rehearsed::Did(Again {
                    answer: bytes::<O>(answer),
                    changes: Change::all(&decision.written),
                })
            }
            _ => Rehearsed::Fails,
        }
    }
}

/// What came of one handler.
enum Ran<O: Operation> {
    Ended(
        Handled<O::Entity, O::Reply, O::Error>,
        Wishes<O::Entity>,
        Work<O::Entity>,
    ),
    Fails,
    Unknowable,
}

/// Runs a handler that does not wait.
fn run<O: Operation>(
    operation: O,
    entity: Box<Resident<O::Entity>>,
    context: Context<O::Entity>,
) -> Ran<O> {
    let now = context.now();
    let ran = isolate(|| {
        let mut work = Work::on(entity);
        let ran = <O::Mode as Mode<O>>::run(operation, work.state(), || context);
        ran.map(|(handled, context)| (handled, context, work))
    });
    let Ok(Some((handled, context, work))) = ran else {
        return Ran::Fails;
    };
    let wishes = context.map_or_else(|| Wishes::none(now), Context::into_wishes);
    Ran::Ended(handled, wishes, work)
}

/// Runs an async handler as far as it goes by itself.
fn rehearse<O: Operation>(
    operation: O,
    entity: Box<Resident<O::Entity>>,
    mut context: Context<O::Entity>,
) -> Ran<O> {
    /// Who waits longer waits for somebody.
    const POLLS_MAX: usize = 100;
    let rehearsal = Arc::new(Rehearsal::default());
    context.bind(Arc::clone(&rehearsal) as Arc<dyn Any + Send + Sync>);
    let chain = Chain::new(context.persistence_id().clone(), context.command_id(), None);
    let begun = isolate(|| Handling::begin(operation, Work::on(entity), context, Arc::new(chain)));
    let Ok(Some(mut handling)) = begun else {
        return Ran::Fails;
    };
    let mut cx = task::Context::from_waker(Waker::noop());
    let ended = (0..POLLS_MAX).any(|_| handling.poll(&mut cx).is_ready());
    if !ended || rehearsal.was_asked() {
        return Ran::Unknowable;
    }
    match handling.end() {
        (Some(work), Some(End::Returned(handled, context))) => {
            Ran::Ended(handled, context.into_wishes(), work)
        }
        _ => Ran::Fails,
    }
}

/// What an answer says to its caller.
pub(super) fn heard<O: Operation>(answer: &Answer<O>) -> Heard {
    match answer {
        Ok(reply) => Heard::Answer {
            bytes: bytes::<O>(Ok(reply)),
            rejected: false,
        },
        Err(CallError::Rejected(rejection)) => Heard::Answer {
            bytes: bytes::<O>(Err(rejection)),
            rejected: true,
        },
        Err(CallError::Panicked { .. }) => Heard::Panicked,
        Err(error) => {
            let text = name_of(error);
            match error.persisted() {
                Persisted::No => Heard::NotApplied {
                    retryable: error.is_retryable(),
                    text,
                },
                Persisted::Yes | Persisted::Unknown => Heard::Unknown(text),
            }
        }
    }
}

/// The error without the domain's own, whose type says nothing about how to show it.
fn name_of<E>(error: &CallError<E>) -> String {
    let failure = match error {
        CallError::Rejected(_) => return "rejected".to_owned(),
        CallError::Overloaded(overload) => Failure::Overloaded(*overload),
        CallError::Timeout => Failure::Timeout,
        CallError::OutcomeUnknown { reason } => Failure::unknown(Arc::clone(reason)),
        CallError::Unavailable { reason } => Failure::unavailable(Arc::clone(reason)),
        CallError::Quarantined(quarantine) => Failure::Quarantined(Arc::clone(quarantine)),
        CallError::Reentrancy => Failure::Reentrancy,
        CallError::Fenced => Failure::Fenced,
        CallError::Stopped => Failure::Stopped,
        _ => return "another error".to_owned(),
    };
    failure.to_string()
}

/// The answer as bytes, to compare it: two answers are the same if their bytes are.
fn bytes<O: Operation>(answer: Result<&O::Reply, &O::Error>) -> Vec<u8> {
    let codec = <O::Entity as Entity>::OPTIONS.codec;
    let mut bytes = vec![u8::from(answer.is_err())];
    let encoded = isolate(|| match answer {
        Ok(reply) => codec.encode(reply, &mut bytes),
        Err(rejection) => codec.encode(rejection, &mut bytes),
    });
    match encoded {
        Ok(Ok(())) => bytes,
        // What the codec cannot express is all alike.
        _ => vec![2],
    }
}

/// A state that grows event by event.
pub(super) trait Folded: Send {
    /// Applies a stored change; `false` if that is not possible.
    fn apply(&mut self, entry: &Entry) -> bool;

    /// A copy of the state, by way of the codec.
    fn copy(&self) -> Option<Box<dyn Any>>;
}

struct State<E: Behavior>(Resident<E>);

impl<E: Behavior> State<E> {
    /// Applies what `decode` makes of a payload.
    fn take(&mut self, codec: u8, decode: impl FnOnce(Codec) -> Option<E::Event>) -> bool {
        let decoded = Codec::from_id(codec).and_then(decode);
        decoded.is_some_and(|event| isolate(|| self.0.state.apply(&event)).is_ok())
    }
}

impl<E: Behavior> Folded for State<E> {
    fn apply(&mut self, entry: &Entry) -> bool {
        match &entry.body {
            EntryBody::Event { event, .. } => self.take(event.codec, |codec| {
                event::decode(&event.name, event.version, codec, &event.payload).ok()
            }),
            EntryBody::State { state, .. } => {
                self.0.is_stored(Some(stable_128(&state.payload)));
                self.take(state.codec, |codec| {
                    let name = E::Event::EVENTS.first()?.name;
                    event::decode(name, state.version, codec, &state.payload).ok()
                })
            }
            EntryBody::Deleted { .. } => {
                self.0 = Resident::new(E::default());
                true
            }
            _ => true,
        }
    }

    fn copy(&self) -> Option<Box<dyn Any>> {
        let codec = E::OPTIONS.codec;
        let copy = isolate(|| {
            let mut bytes = Vec::new();
            codec.encode(&self.0.state, &mut bytes).ok()?;
            codec.decode::<E>(&bytes).ok()
        });
        let mut copy = Resident::new(copy.ok()??);
        copy.is_stored(self.0.digest());
        Some(Box::new(copy))
    }
}
