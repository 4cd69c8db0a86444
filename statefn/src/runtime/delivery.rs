//! From a stored call to a command that runs: the commands of a type by name.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use statefn_store::PersistenceId;

use crate::call_error::{CallError, Failure};
use crate::codec::Codec;
use crate::command::{AnyCommand, CommandVisitor};
use crate::entity::Behavior;
use crate::runtime::core::Accepted;
use crate::runtime::isolate::isolate;
use crate::runtime::outcome::Answer;
use crate::runtime::shard::Shard;
use crate::runtime::step::{Request, RequestOptions};

/// A stored call at the door of its entity.
pub(crate) struct Letter {
    pub(crate) shard: Arc<Shard>,
    pub(crate) id: PersistenceId,
    pub(crate) type_index: u16,
    pub(crate) codec: Codec,
    pub(crate) arguments: Vec<u8>,
    pub(crate) options: RequestOptions,
}

/// The answer of an entity that ran a stored call.
pub(crate) struct Delivered {
    /// Whether it said no.
    pub(crate) is_rejected: bool,
}

type Delivery = Pin<Box<dyn Future<Output = Result<Delivered, Failure>> + Send>>;

/// The whole answer of a command, in a box.
type Whole = Pin<Box<dyn Future<Output = Box<dyn Any + Send>> + Send>>;

/// The ways in which one command runs as a stored call.
struct Ways {
    deliver: fn(Letter) -> Delivery,
    forward: fn(Letter) -> Whole,
    show: fn(Codec, &[u8]) -> Option<String>,
}

/// The commands of an entity type.
#[derive(Default)]
pub(crate) struct Commands(BTreeMap<&'static str, Ways>);

impl Commands {
    /// The commands of `E`.
    pub(crate) fn of<E: Behavior>() -> Self {
        let mut commands = Self::default();
        E::commands(&mut commands);
        commands
    }

    /// Runs a stored call; `None` if there is no command of this name.
    pub(crate) fn deliver(&self, command: &str, letter: Letter) -> Option<Delivery> {
        let ways = self.0.get(command)?;
        Some((ways.deliver)(letter))
    }

    /// The arguments of a stored call as text, if they can be read.
    pub(crate) fn show(&self, command: &str, codec: Codec, arguments: &[u8]) -> Option<String> {
        let ways = self.0.get(command)?;
        (ways.show)(codec, arguments)
    }

    /// Runs a stored call for its answer; `None` if there is no command of this name.
    pub(crate) fn forward(&self, command: &str, letter: Letter) -> Option<Whole> {
        let ways = self.0.get(command)?;
        Some((ways.forward)(letter))
    }
}

impl<E: Behavior> CommandVisitor<E> for Commands {
    fn visit<C: AnyCommand<Entity = E>>(&mut self) {
        let ways = Ways {
            deliver: |letter| Box::pin(deliver::<C>(letter)),
            forward: |letter| {
                Box::pin(async { Box::new(answer::<C>(letter).await) as Box<dyn Any + Send> })
            },
            show: show::<C>,
        };
        self.0.insert(C::NAME, ways);
    }
}

fn show<C: AnyCommand>(codec: Codec, arguments: &[u8]) -> Option<String> {
    let operation = codec.decode::<C>(arguments).ok()?;
    let mut text = Vec::new();
    Codec::Json.encode(&operation, &mut text).ok()?;
    String::from_utf8(text).ok()
}

async fn deliver<C: AnyCommand>(letter: Letter) -> Result<Delivered, Failure> {
    match answer::<C>(letter).await {
        // Forwarded: it is settled, whatever the last target said.
        Ok(_) | Err(CallError::Forwarded(_)) => Ok(Delivered { is_rejected: false }),
        Err(error) => match Failure::narrow(error) {
            Some(failure) => Err(failure),
            None => Ok(Delivered { is_rejected: true }),
        },
    }
}

async fn answer<C: AnyCommand>(letter: Letter) -> Answer<C> {
    let Letter {
        shard,
        id,
        type_index,
        codec,
        arguments,
        options,
    } = letter;
    let unreadable = |reason: String| {
        Failure::Encoding {
            what: "the arguments of a stored call (they were stored under another signature)",
            reason: reason.into(),
        }
        .widen()
    };
    let operation = match isolate(|| codec.decode::<C>(&arguments)) {
        Ok(Ok(operation)) => operation,
        Ok(Err(error)) => return Err(unreadable(error.to_string())),
        Err(panic) => return Err(unreadable(format!("decoding them panicked: {panic}"))),
    };
    drop(arguments);
    let env = Arc::clone(&shard.shared().env);
    let left = options.deadline.get();
    let left = left.map(|deadline| deadline.saturating_sub(env.now()));
    if left.is_some_and(|left| left.is_zero()) {
        return Err(CallError::Timeout);
    }
    let request = Request { operation, options };
    let slot = match shard.call(&id, type_index, request) {
        Accepted::Answered(answer) => return answer,
        Accepted::Waiting(slot) => slot,
    };
    let mut late = left.map(|left| env.sleep(left));
    poll_fn(|cx| {
        if let Poll::Ready(answer) = slot.poll(cx) {
            return Poll::Ready(answer);
        }
        let is_late = late
            .as_mut()
            .is_some_and(|late| late.as_mut().poll(cx).is_ready());
        if !is_late {
            return Poll::Pending;
        }
        late = None;
        match slot.give_up() {
            Some(failure) => Poll::Ready(Err(failure.widen())),
            None => slot.poll(cx),
        }
    })
    .await
}
