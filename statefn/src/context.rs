//! What a command handler may know, and the events that it emits.

use std::fmt;

use statefn_store::{PersistenceId, SequenceNumber, Timestamp};

use crate::entity::{Behavior, EventOf};
use crate::metadata::Metadata;
use crate::reply::Then;

/// Handed to every command handler: who it is, what time it is, and where its events go.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use statefn::prelude::*;
///
/// #[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
/// pub struct Joined { user: String, at_millis: i64 }
///
/// #[entity(event_sourced)]
/// #[derive(Default, Serialize, Deserialize)]
/// pub struct Room { members: Vec<String> }
///
/// #[entity]
/// impl Room {
///     #[command]
///     fn join(&self, ctx: &mut Context<Self>) -> Result<Then<Self, usize>, String> {
///         let Some(user) = ctx.metadata().get("user") else {
///             return Err(format!("nobody may enter {} without a name", ctx.id()));
///         };
///         let (user, at_millis) = (user.to_owned(), ctx.now().as_millis());
///         ctx.emit(Joined { user, at_millis });
///         Ok(ctx.then(|room| room.members.len()))
///     }
///
///     #[event_handler]
///     fn joined(&mut self, event: &Joined) {
///         self.members.push(event.user.clone());
///     }
/// }
///
/// # #[statefn::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = Runtime::builder().only::<(Room,)>().build().await?;
/// let room = runtime.entity::<Room>("lobby");
/// assert_eq!(room.join().with_metadata("user", "alice").await, Ok(1));
/// assert!(matches!(room.join().await, Err(CallError::Rejected(_))));
/// # Ok(())
/// # }
/// ```
pub struct Context<E: Behavior> {
    id: PersistenceId,
    sequence: SequenceNumber,
    now: Timestamp,
    metadata: Metadata,
    events: Vec<E::Event>,
}

impl<E: Behavior> Context<E> {
    /// A context at a point of an entity's life; the runtime and the test kit make them.
    pub(crate) fn new(
        id: PersistenceId,
        sequence: SequenceNumber,
        now: Timestamp,
        metadata: Metadata,
    ) -> Self {
        Self {
            id,
            sequence,
            now,
            metadata,
            events: Vec::new(),
        }
    }

    /// Records an event. It applies after the handler has returned `Ok`; on `Err` or a panic it
    /// never existed.
    pub fn emit<Ev: EventOf<E>>(&mut self, event: Ev) {
        self.events.push(event.into_event());
    }

    /// A reply that is computed from the state after the emitted events.
    pub fn then<T>(&self, reply: impl FnOnce(&E) -> T + Send + 'static) -> Then<E, T> {
        Then::new(reply)
    }

    /// The entity's id, as the caller gave it.
    pub fn id(&self) -> &str {
        self.id.id()
    }

    /// The sequence number of the entity's last event before this command.
    pub fn sequence(&self) -> SequenceNumber {
        self.sequence
    }

    /// When this command runs: the time stored with its events (virtual in tests).
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What the caller sent along.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// When the command ran, what it emitted, and what it was sent with.
    pub(crate) fn into_parts(self) -> (Timestamp, Vec<E::Event>, Metadata) {
        (self.now, self.events, self.metadata)
    }
}

impl<E: Behavior> fmt::Debug for Context<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("id", &self.id)
            .field("sequence", &self.sequence)
            .field("now", &self.now)
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}
