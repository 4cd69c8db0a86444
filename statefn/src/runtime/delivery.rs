//! From a stored call to a command that runs: the commands of a type by name.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;

use statefn_store::PersistenceId;

use crate::call_error::Failure;
use crate::codec::Codec;
use crate::command::{AnyCommand, CommandVisitor};
use crate::entity::Behavior;
use crate::runtime::core::Accepted;
use crate::runtime::isolate::isolate;
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

/// The commands of an entity type.
#[derive(Default)]
pub(crate) struct Commands(BTreeMap<&'static str, fn(Letter) -> Delivery>);

impl Commands {
    /// The commands of `E`.
    pub(crate) fn of<E: Behavior>() -> Self {
        let mut commands = Self::default();
        E::commands(&mut commands);
        commands
    }

    /// Runs a stored call; `None` if there is no command of this name.
    pub(crate) fn deliver(&self, command: &str, letter: Letter) -> Option<Delivery> {
        self.0.get(command).map(|deliver| deliver(letter))
    }
}

impl<E: Behavior> CommandVisitor<E> for Commands {
    fn visit<C: AnyCommand<Entity = E>>(&mut self) {
        self.0
            .insert(C::NAME, |letter| Box::pin(deliver::<C>(letter)));
    }
}

async fn deliver<C: AnyCommand>(letter: Letter) -> Result<Delivered, Failure> {
    let Letter {
        shard,
        id,
        type_index,
        codec,
        arguments,
        options,
    } = letter;
    let unreadable = |reason: String| Failure::Encoding {
        what: "the arguments of a stored call (they were stored under another signature)",
        reason: reason.into(),
    };
    let operation = match isolate(|| codec.decode::<C>(&arguments)) {
        Ok(Ok(operation)) => operation,
        Ok(Err(error)) => return Err(unreadable(error.to_string())),
        Err(panic) => return Err(unreadable(format!("decoding them panicked: {panic}"))),
    };
    drop(arguments);
    let request = Request { operation, options };
    let answer = match shard.call(&id, type_index, request) {
        Accepted::Answered(answer) => answer,
        Accepted::Waiting(slot) => poll_fn(|cx| slot.poll(cx)).await,
    };
    match answer {
        Ok(_) => Ok(Delivered { is_rejected: false }),
        Err(error) => match Failure::narrow(error) {
            Some(failure) => Err(failure),
            None => Ok(Delivered { is_rejected: true }),
        },
    }
}
