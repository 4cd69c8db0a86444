//! One command on one entity: state and command to events, reply and writes.
//!
//! No input or output, no waiting: the shard decides what happens with the result.

mod begun;
mod draft;

use std::any::Any;
use std::sync::{Arc, Weak};
use std::time::Duration;

use statefn_store::{
    Member, Offset, PersistenceId, SequenceNumber, StateChange, StoredRecord, Timestamp,
};

use crate::call_error::{CallError, Failure, Forwarded};
use crate::chain::Chain;
use crate::codec::Codec;
use crate::command::{Mode, Operation};
use crate::context::{Context, Wishes};
use crate::crdt::ReplicaId;
use crate::entity::{Behavior, Entity, Kind};
use crate::env::Env;
use crate::forward::Destination;
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::reply::{Handled, Said};
use crate::runtime::activation::{Activation, Phase};
use crate::runtime::budget::Budget;
use crate::runtime::deadline::Deadline;
use crate::runtime::decision::{Form, conclude};
use crate::runtime::forwarding::{self, Forwarding, Route};
use crate::runtime::hosted::Hosted;
use crate::runtime::isolate::isolate;
use crate::runtime::keys::Verdict;
use crate::runtime::outcome;
use crate::runtime::outcome::{Answer, Recorded};
use crate::runtime::place::Place;
use crate::runtime::resident::Resident;
use crate::runtime::sending::{self, Origin, Posted};
use crate::runtime::spans;

pub(super) use begun::Begun;
use draft::{Draft, due_snapshot};

/// An operation with what the caller said about it.
pub(crate) struct Request<O> {
    pub(crate) operation: O,
    pub(crate) options: RequestOptions,
}

/// What a caller says about a call.
#[derive(Debug, Default)]
pub(crate) struct RequestOptions {
    pub(crate) key: Option<Box<str>>,
    pub(crate) deadline: Deadline,
    pub(crate) metadata: Metadata,
    /// The stored call that this is, if it is one.
    pub(crate) origin: Option<Box<Origin>>,
    /// The async commands that wait for this call.
    pub(crate) caller: Option<Arc<Chain>>,
}

/// What a step may look at besides the entity.
pub(super) struct Turn<'a> {
    pub(super) env: &'a dyn Env,
    pub(super) limits: &'a Limits,
    pub(super) budget: &'a Arc<Budget>,
    pub(super) hosted: &'a Hosted,
    /// All types of the runtime.
    pub(super) types: &'a [Hosted],
    /// The runtime as async commands get hold of it.
    pub(super) runtime: Option<&'a Weak<dyn Any + Send + Sync>>,
    /// Whether runs repeat.
    pub(super) repeats: bool,
    /// Under which name this runtime changes CRDTs, if it has one.
    pub(super) replica: Option<ReplicaId>,
}

/// What one command came to.
pub(super) enum Step<O: Operation> {
    /// The answer may leave at once.
    Answer(Answer<O>),
    /// The answer must wait for a commit.
    Gated { answer: Answer<O>, behind: Behind },
    /// Nothing happened, and the state in memory is not to be trusted any more.
    Lost(Failure),
    /// The store must be asked for the key first.
    LookUp(LookUp, Request<O>),
    /// The command is applied, and another one answers it, once this has committed.
    Forward {
        forwarding: Box<Forwarding>,
        /// `None` if nothing of the entity is uncommitted.
        behind: Option<Behind>,
    },
    /// The handler waits for others: it runs outside the shard and holds the entity.
    Begun(Box<Begun<O>>),
}

/// What a command comes to for its caller.
enum Ending<O: Operation> {
    Answer(Answer<O>),
    Forward(Box<Forwarding>),
}

impl<O: Operation> Ending<O> {
    fn failed(failure: Failure) -> Self {
        Self::Answer(Err(failure.widen()))
    }

    /// It depends on nothing that is not committed.
    fn at_once(self) -> Step<O> {
        match self {
            Self::Answer(answer) => Step::Answer(answer),
            Self::Forward(forwarding) => Step::Forward {
                forwarding,
                behind: None,
            },
        }
    }

    /// It waits for a commit.
    fn behind(self, behind: Behind) -> Step<O> {
        match self {
            Self::Answer(answer) => Step::Gated { answer, behind },
            Self::Forward(forwarding) => Step::Forward {
                forwarding,
                behind: Some(behind),
            },
        }
    }
}

/// For which commit an answer waits.
pub(super) enum Behind {
    /// Its own write.
    Own(Box<Write>),
    /// The entity's last write so far, on which it depends.
    Last,
    /// The earlier write of the same key, whose fate it shares.
    Earlier(Place),
}

impl Behind {
    /// Whether the fate of the commit is the fate of the command.
    pub(super) fn is_write(&self) -> bool {
        !matches!(self, Self::Last) && !planted!(WriteSaidTimedOut)
    }
}

/// What a command writes.
pub(super) struct Write {
    pub(super) member: Member,
    pub(super) bytes: usize,
    pub(super) key: Option<Box<str>>,
    /// What leaves the entity with the commit.
    pub(super) posted: Option<Box<Posted>>,
}

/// A key for which the store must be asked.
pub(super) struct LookUp {
    pub(super) key: Box<str>,
    pub(super) newest: Offset,
}

/// A key on its way through a command.
struct Keyed {
    key: Box<str>,
    fingerprint: u128,
}

/// Runs a request on a resident entity. A panic of user code is a [`Step::Lost`].
pub(super) fn run<O: Operation>(
    request: Request<O>,
    activation: &mut Activation,
    turn: &Turn<'_>,
) -> Step<O> {
    isolate(|| decide(request, activation, turn))
        .unwrap_or_else(|message| Step::Lost(panicked(activation, message)))
}

/// Runs a request whose key the store has been asked for.
pub(super) fn resume<O: Operation>(
    request: Request<O>,
    found: Option<StoredRecord>,
    activation: &mut Activation,
    turn: &Turn<'_>,
) -> Step<O> {
    isolate(|| decide_with(request, found, activation, turn))
        .unwrap_or_else(|message| Step::Lost(panicked(activation, message)))
}

fn panicked(activation: &Activation, message: Arc<str>) -> Failure {
    let id = activation.id.clone();
    Failure::Panicked { id, message }
}

fn decide<O: Operation>(
    mut request: Request<O>,
    activation: &mut Activation,
    turn: &Turn<'_>,
) -> Step<O> {
    let Some(key) = request.options.key.take() else {
        return execute(request, None, activation, turn);
    };
    let fingerprint = match outcome::fingerprint(&request.operation, turn.hosted.options.codec) {
        Ok(fingerprint) => fingerprint,
        Err(failure) => return Step::Answer(Err(failure.widen())),
    };
    let cutoff = turn.cutoff();
    let verdict = match &activation.keys {
        Some(keys) => keys.look_up(&key, cutoff),
        None => Verdict::Free,
    };
    match verdict {
        Verdict::Free => execute(request, Some(Keyed { key, fingerprint }), activation, turn),
        Verdict::UnderWay {
            fingerprint: first,
            outcome,
            place,
        } => {
            let same = fingerprint == first;
            let ending = repeated::<O>(&key, same, &outcome, request.options, activation, turn);
            if planted!(DuplicateAnsweredEarly) {
                return ending.at_once();
            }
            let behind = match &ending {
                Ending::Answer(Err(CallError::KeyReused { .. })) => Behind::Last,
                _ => Behind::Earlier(place),
            };
            ending.behind(behind)
        }
        Verdict::Ask(newest) => {
            request.options.key = Some(key.clone());
            Step::LookUp(LookUp { key, newest }, request)
        }
    }
}

fn decide_with<O: Operation>(
    mut request: Request<O>,
    found: Option<StoredRecord>,
    activation: &mut Activation,
    turn: &Turn<'_>,
) -> Step<O> {
    let Some(key) = request.options.key.take() else {
        return execute(request, None, activation, turn);
    };
    let fingerprint = match outcome::fingerprint(&request.operation, turn.hosted.options.codec) {
        Ok(fingerprint) => fingerprint,
        Err(failure) => return Step::Answer(Err(failure.widen())),
    };
    match found {
        Some(record) if record.time >= turn.cutoff() => {
            // It depends on nothing but its own record, which is on stable storage.
            let same = fingerprint == record.fingerprint;
            let options = request.options;
            repeated::<O>(&key, same, &record.outcome, options, activation, turn).at_once()
        }
        _ => execute(request, Some(Keyed { key, fingerprint }), activation, turn),
    }
}

/// The outcome of the first command under a key, for one that repeats it.
fn repeated<O: Operation>(
    key: &str,
    same_request: bool,
    outcome: &[u8],
    options: RequestOptions,
    activation: &Activation,
    turn: &Turn<'_>,
) -> Ending<O> {
    if !same_request {
        return Ending::failed(Failure::KeyReused { key: key.into() });
    }
    match outcome::decode::<O>(outcome) {
        Ok(Recorded::Answer(answer)) => Ending::Answer(answer),
        Ok(Recorded::Forward(route)) => {
            // Whoever repeats it may have another caller, and less time.
            let chain = Chain::new(activation.id.clone(), route.command, options.caller);
            let until = turn.until(options.deadline);
            Ending::Forward(Box::new(turn.forwarding(*route, Arc::new(chain), until)))
        }
        Err(_) => Ending::failed(Failure::AlreadyApplied { key: key.into() }),
    }
}

/// An answer without a write of its own waits for the entity's last write, if there is one.
fn behind_gate<O: Operation>(ending: Ending<O>, activation: &Activation) -> Step<O> {
    let leaks = planted!(QueryNotGated) && matches!(ending, Ending::Answer(Ok(_)));
    let tells = planted!(RejectionNotGated) && matches!(ending, Ending::Answer(Err(_)));
    if activation.uncommitted == 0 || leaks || tells {
        ending.at_once()
    } else {
        ending.behind(Behind::Last)
    }
}

fn execute<O: Operation>(
    request: Request<O>,
    keyed: Option<Keyed>,
    activation: &mut Activation,
    turn: &Turn<'_>,
) -> Step<O> {
    if <<O::Entity as Entity>::Kind as Kind>::IS_CRDT
        && let Some(failure) = refusal::<O>(activation, turn)
    {
        return behind_gate(Ending::Answer(Err(failure.widen())), activation);
    }
    if <O::Mode as Mode<O>>::WAITS {
        return begun::begin(request, keyed, activation, turn);
    }
    let id = &activation.id;
    let sequence = activation.sequence;
    let Phase::Resident(state) = &mut activation.phase else {
        return Step::Answer(Err(
            Failure::unavailable("the entity is not in memory").widen()
        ));
    };
    let Some(entity) = state.downcast_mut::<Resident<O::Entity>>() else {
        return Step::Answer(Err(
            Failure::unavailable("another type holds this name").widen()
        ));
    };
    let Request { operation, options } = request;
    let _span = spans::command(id, O::NAME, sequence).entered();
    let metadata = options.metadata;
    // Before the handler runs, so that what cannot be stored has no effect to be undone.
    let stored_metadata = match outcome::encode_metadata(&metadata, turn.limits) {
        Ok(stored) => stored,
        Err(failure) => return Step::Answer(Err(failure.widen())),
    };
    let context = || turn.context(id, sequence, metadata, options.caller);
    let mut copy = if <O::Mode as Mode<O>>::WRITES {
        entity.copy()
    } else {
        None
    };
    let state = copy.as_mut().unwrap_or(&mut entity.state);
    let Some((handled, context)) = <O::Mode as Mode<O>>::run(operation, state, context) else {
        return Step::Answer(Err(Failure::unavailable("the handler waits").widen()));
    };
    let Some(context) = context else {
        // A query writes nothing and asks for nothing.
        let answer = match handled.answer(&entity.state) {
            Said::Reply(reply) => Ok(reply),
            Said::Rejected(rejection) => Err(CallError::Rejected(rejection)),
            Said::Forward(_) => Err(Failure::unavailable("a query has no target").widen()),
        };
        return behind_gate(Ending::Answer(answer), activation);
    };
    let wishes = context.into_wishes();
    let ended = Ended::<O> {
        handled,
        wishes,
        sent: Sent {
            metadata: stored_metadata,
            keyed,
            origin: options.origin,
            deadline: options.deadline,
        },
    };
    match ended.happen(copy.as_mut(), entity, sequence, turn) {
        Ok((draft, ending)) => draft.finish(ending, activation, turn),
        Err(failure) => behind_gate(Ending::failed(failure), activation),
    }
}

/// Why a CRDT takes no such operation.
fn refusal<O: Operation>(activation: &Activation, turn: &Turn<'_>) -> Option<Failure> {
    if <O::Mode as Mode<O>>::WRITES && turn.replica.is_none() {
        return Some(Failure::Invalid {
            what: "runtime",
            reason: "it changes no CRDTs before it has a name: `Builder::replica`".into(),
        });
    }
    let Phase::Resident(state) = &activation.phase else {
        return None;
    };
    let entity = state.downcast_ref::<Resident<O::Entity>>()?;
    (entity.has_ended() && !O::AFTER_THE_END).then_some(Failure::Deleted)
}

/// What a command was sent with, as far as it is stored.
struct Sent {
    /// As stored.
    metadata: Vec<u8>,
    keyed: Option<Keyed>,
    origin: Option<Box<Origin>>,
    deadline: Deadline,
}

/// What a handler came to.
struct Ended<O: Operation> {
    handled: Handled<O::Entity, O::Reply, O::Error>,
    wishes: Wishes<O::Entity>,
    sent: Sent,
}

impl<O: Operation> Ended<O> {
    /// What the handler decided is applied, and its writes come together.
    fn happen(
        mut self,
        copy: Option<&mut O::Entity>,
        entity: &mut Resident<O::Entity>,
        sequence: SequenceNumber,
        turn: &Turn<'_>,
    ) -> Result<(Draft, Ending<O>), Failure> {
        let Sent {
            metadata,
            keyed,
            origin,
            deadline,
        } = self.sent;
        let metadata = match &self.wishes.metadata {
            Some(more) => outcome::encode_metadata(more, turn.limits)?,
            None => metadata,
        };
        let mut outgoing = match &self.handled {
            // What a rejected command sent never existed.
            Handled::Rejected(_) if !planted!(RefusedEffectSent) => None,
            _ => self.wishes.outgoing.take(),
        };
        let origin = origin.map(|origin| *origin);
        if let Some(destination) = self.handled.destination() {
            forwarding::check(destination, turn.limits)?;
            turn.check_hosted(destination)?;
            if let (Some(_), Ok(call)) = (&origin, &destination.call) {
                let outgoing = outgoing.get_or_insert_default();
                outgoing.effects.push(call.clone());
            }
        }
        let is_stored_call = origin.is_some();
        // Before anything applies, so that what cannot be sent has no effect to be undone.
        let sending = sending::prepare(outgoing, origin, turn.limits, turn.budget)?;
        let decision = conclude(self.handled, &self.wishes, copy, entity, turn.form())?;
        let mut draft = Draft {
            now: self.wishes.now,
            metadata,
            written: decision.written,
            snapshot: None,
            keyed,
            sending,
        };
        if matches!(draft.written.state.as_deref(), Some(StateChange::Delete)) {
            draft.sending = Some(sending::without_timers(draft.sending));
        }
        draft.snapshot = due_snapshot(&entity.state, sequence, &draft.written, turn);
        let ending = match decision.answer {
            Said::Reply(reply) => Ending::Answer(Ok(reply)),
            Said::Rejected(rejection) => Ending::Answer(Err(CallError::Rejected(rejection))),
            Said::Forward(destination) if is_stored_call => passed_on(&destination),
            Said::Forward(destination) => {
                let forwarding = draft.forward(*destination, sequence, deadline, turn)?;
                Ending::Forward(Box::new(forwarding))
            }
        };
        Ok((draft, ending))
    }
}

/// What a stored call is told that has become another one: nobody listens.
fn passed_on<O: Operation>(destination: &Destination) -> Ending<O> {
    let target = match &destination.call {
        Ok(call) => call.target.clone(),
        Err(_) => destination.chain.id().clone(),
    };
    let error = Failure::unknown("it has become an effect").widen();
    Ending::Answer(Err(CallError::Forwarded(Box::new(Forwarded {
        target,
        error,
    }))))
}

impl Turn<'_> {
    /// What a command on an entity at this point sees.
    fn context<E: Behavior>(
        &self,
        id: &PersistenceId,
        sequence: SequenceNumber,
        metadata: Metadata,
        caller: Option<Arc<Chain>>,
    ) -> Context<E> {
        let context = Context::new(id.clone(), sequence, self.env.wall(), metadata);
        let mut context = context.called_by(caller);
        if let Some(replica) = self.replica {
            context = context.on_replica(replica);
        }
        if self.repeats {
            context
        } else {
            context.varied()
        }
    }

    /// Whether there is anybody to answer.
    fn check_hosted(&self, destination: &Destination) -> Result<(), Failure> {
        let entity_type = destination.entity_type;
        let mut types = self.types.iter();
        if types.any(|hosted| hosted.entity_type.as_str() == entity_type) {
            return Ok(());
        }
        Err(Failure::NotHosted { entity_type })
    }

    /// A forward along this route.
    fn forwarding(&self, route: Route, chain: Arc<Chain>, until: Duration) -> Forwarding {
        Forwarding {
            route,
            chain,
            until,
            runtime: self.runtime.cloned(),
            span: tracing::Span::current(),
            underway: self.budget.forward(),
        }
    }

    /// When somebody who waits this long must have an answer.
    fn until(&self, deadline: Deadline) -> Duration {
        let latest = || self.env.now().saturating_add(self.limits.call_timeout);
        deadline.get().unwrap_or_else(latest)
    }

    /// Keys written before this instant have expired.
    fn cutoff(&self) -> Timestamp {
        self.hosted.cutoff(self.env.wall())
    }

    /// How the state is written.
    fn form(&self) -> Form<'_> {
        Form {
            codec: self.hosted.options.codec,
            shape: self.hosted.shape,
            limits: self.limits,
        }
    }
}

/// About how many bytes a request holds while it waits in a queue.
pub(super) fn argument_bytes<O: Operation>(request: &Request<O>) -> usize {
    let mut bytes = Vec::new();
    // What cannot be encoded fails later, with a clear answer; here it counts by its fixed size.
    let encoded =
        isolate(|| <O::Mode as Mode<O>>::encode(&request.operation, Codec::Bincode, &mut bytes));
    drop(encoded);
    size_of::<Request<O>>() + bytes.len() + request.options.metadata.bytes()
}
