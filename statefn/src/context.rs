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
    deletes: bool,
}

/// What a command asked for beside its answer.
pub(crate) struct Wishes<E: Behavior> {
    /// When the command ran.
    pub(crate) now: Timestamp,
    /// What it emitted.
    pub(crate) events: Vec<E::Event>,
    /// Whether the state is to be deleted, after the events.
    pub(crate) deletes: bool,
}

impl<E: Behavior> Wishes<E> {
    /// Those of an operation that may not write.
    pub(crate) fn none(now: Timestamp) -> Self {
        Self {
            now,
            events: Vec::new(),
            deletes: false,
        }
    }
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
            deletes: false,
        }
    }

    /// Records an event. It applies after the handler has returned `Ok`; on `Err` or a panic it
    /// never existed. After a [`delete`](Self::delete) it takes that back: the last change wins.
    pub fn emit<Ev: EventOf<E>>(&mut self, event: Ev) {
        self.events.push(event.into_event());
        self.deletes = false;
    }

    /// Deletes the entity, once the handler has returned `Ok`: its state is gone and it can be used
    /// again at once, with its default state.
    ///
    /// In an event-sourced command it comes after the events emitted so far: the last one can say
    /// why. In a CRUD command it wins over whatever the handler does to `self`, before or after.
    /// [`keep`](Self::keep) takes it back.
    ///
    /// What remains: sequence numbers go on, keys are remembered as long as ever, and the journal
    /// keeps what was there.
    /// Deleting what is not there changes nothing.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use statefn::prelude::*;
    ///
    /// #[entity(crud)]
    /// #[derive(Clone, Default, Serialize, Deserialize)]
    /// pub struct Note { text: String }
    ///
    /// #[entity]
    /// impl Note {
    ///     #[command]
    ///     fn write(&mut self, text: String) { self.text = text; }
    ///
    ///     #[command]
    ///     fn discard(&mut self, ctx: &mut Context<Self>) -> String {
    ///         ctx.delete();
    ///         std::mem::take(&mut self.text)
    ///     }
    ///
    ///     #[query]
    ///     fn text(&self) -> String { self.text.clone() }
    /// }
    ///
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = Runtime::builder().only::<(Note,)>().build().await?;
    /// let note = runtime.entity::<Note>("today");
    /// note.write("buy apples").await?;
    /// assert_eq!(note.discard().await?, "buy apples");
    /// assert_eq!(note.text().await?, "");
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete(&mut self) {
        self.deletes = true;
    }

    /// Takes a [`delete`](Self::delete) of this command back.
    pub fn keep(&mut self) {
        self.deletes = false;
    }

    /// A reply that is computed from the state after the emitted events.
    pub fn then<T>(&self, reply: impl FnOnce(&E) -> T + Send + 'static) -> Then<E, T> {
        Then::new(reply)
    }

    /// The entity's id, as the caller gave it.
    pub fn id(&self) -> &str {
        self.id.id()
    }

    /// The sequence number of the entity's last event before this command; of a CRUD entity,
    /// every change and every deletion raises it by one.
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

    /// What the command asked for.
    pub(crate) fn into_wishes(self) -> Wishes<E> {
        Wishes {
            now: self.now,
            events: self.events,
            deletes: self.deletes,
        }
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
