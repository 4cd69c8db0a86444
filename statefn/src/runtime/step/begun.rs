//! An async command: the step of its beginning, and the step of its end.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::{Ended, Ending, Keyed, Request, Sent, Step, Turn, behind_gate, panicked};
use crate::call_error::{CallError, Failure};
use crate::chain::Chain;
use crate::command::Operation;
use crate::context::Context;
use crate::runtime::activation::{Activation, Phase};
use crate::runtime::handler::{End, Handling, Work};
use crate::runtime::isolate::{discard, isolate};
use crate::runtime::outcome;
use crate::runtime::resident::Resident;

/// An async command under way.
pub(in crate::runtime) struct Begun<O: Operation> {
    pub(in crate::runtime) handling: Handling<O>,
    /// When it must have ended, by `Env::now`.
    pub(in crate::runtime) until: Duration,
    sent: Sent,
}

/// Begins an async command: its state leaves the activation. All earlier writes have committed.
pub(super) fn begin<O: Operation>(
    request: Request<O>,
    keyed: Option<Keyed>,
    activation: &mut Activation,
    turn: &Turn<'_>,
) -> Step<O> {
    let Request { operation, options } = request;
    let metadata = match outcome::encode_metadata(&options.metadata, turn.limits) {
        Ok(stored) => stored,
        Err(failure) => return Step::Answer(Err(failure.widen())),
    };
    let Some(entity) = take::<O>(activation) else {
        let failure = Failure::unavailable("the entity is not in memory as this type");
        return Step::Answer(Err(failure.widen()));
    };
    let (id, sequence) = (&activation.id, activation.sequence);
    let caller = options.caller;
    let mut context = turn.context(id, sequence, options.metadata, caller.clone());
    if let Some(runtime) = turn.runtime.and_then(Weak::upgrade) {
        context.bind(runtime);
    }
    let chain = Arc::new(Chain::new(id.clone(), context.command_id(), caller));
    let Some(handling) = Handling::begin(operation, Work::on(entity), context, chain) else {
        return Step::Lost(Failure::unavailable("the handler does not wait"));
    };
    Step::Begun(Box::new(Begun {
        handling,
        until: turn.until(options.deadline),
        sent: Sent {
            metadata,
            keyed,
            origin: options.origin,
            deadline: options.deadline,
        },
    }))
}

/// Takes the state out of an activation, if it is there.
fn take<O: Operation>(activation: &mut Activation) -> Option<Box<Resident<O::Entity>>> {
    let phase = match std::mem::replace(&mut activation.phase, Phase::Draining) {
        Phase::Resident(state) => match state.downcast() {
            Ok(entity) => return Some(entity),
            Err(state) => Phase::Resident(state),
        },
        other => other,
    };
    activation.phase = phase;
    None
}

impl<O: Operation> Begun<O> {
    /// Ends the command where it stands: nothing of it has happened.
    pub(in crate::runtime) fn give_up(self, activation: &mut Activation) -> Result<(), Failure> {
        let (work, _) = self.handling.end();
        let Work { entity, copy } = work.ok_or_else(torn)?;
        activation.phase = Phase::Resident(entity);
        discard(copy);
        Ok(())
    }

    /// The handler has ended: what it came to happens now. A panic of user code is a
    /// [`Step::Lost`].
    pub(in crate::runtime) fn conclude(
        self,
        activation: &mut Activation,
        turn: &Turn<'_>,
    ) -> Step<O> {
        let Self { handling, sent, .. } = self;
        let (Some(work), end) = handling.end() else {
            return Step::Lost(torn());
        };
        let Work {
            mut entity,
            mut copy,
        } = work;
        let (handled, context) = match end {
            Some(End::Returned(handled, context)) => (handled, context),
            Some(End::Panicked(message)) => return Step::Lost(panicked(activation, message)),
            None => {
                activation.phase = Phase::Resident(entity);
                return Step::Answer(Err(CallError::Timeout));
            }
        };
        let ended = Ended::<O> {
            handled,
            wishes: Context::into_wishes(context),
            sent,
        };
        let sequence = activation.sequence;
        isolate(|| {
            let happened = ended.happen(copy.as_mut(), &mut entity, sequence, turn);
            drop(copy);
            activation.phase = Phase::Resident(entity);
            match happened {
                Ok((draft, ending)) => draft.finish(ending, activation, turn),
                Err(failure) => behind_gate(Ending::failed(failure), activation),
            }
        })
        .unwrap_or_else(|message| Step::Lost(panicked(activation, message)))
    }
}

/// Whoever has a handler's future may keep what it borrowed, though none of ours does.
fn torn() -> Failure {
    Failure::unavailable("the state did not come back from its handler")
}
