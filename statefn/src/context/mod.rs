//! What a command handler may know, and the events that it emits.

mod sending;

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

use statefn_store::{PersistenceId, SequenceNumber, Timestamp};

use crate::chain::{Chain, CommandId};
use crate::crdt::{ReplicaId, Writer};
use crate::effect::Outgoing;
use crate::entity::{Behavior, EventOf, NamesChanges};
use crate::hash::stable_128;
use crate::metadata::Metadata;
use crate::random::nonce;
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
    outgoing: Option<Box<Outgoing>>,
    caller: Option<Arc<Chain>>,
    /// What tells this run from all others; drawn when somebody asks.
    nonce: OnceLock<u64>,
    /// Under which name a CRDT is changed.
    replica: ReplicaId,
    /// What only few handlers need.
    aside: Option<Box<Aside>>,
}

/// What only few handlers need.
#[derive(Default)]
struct Aside {
    rng: Option<fastrand::Rng>,
    added: Metadata,
    writer: Option<Writer>,
    /// The runtime, for an async command that calls entities.
    runtime: Option<Arc<dyn Any + Send + Sync>>,
}

/// What a command asked for beside its answer.
pub(crate) struct Wishes<E: Behavior> {
    /// When the command ran.
    pub(crate) now: Timestamp,
    /// What it emitted.
    pub(crate) events: Vec<E::Event>,
    /// Whether the state is to be deleted, after the events.
    pub(crate) deletes: bool,
    /// What it sends on.
    pub(crate) outgoing: Option<Box<Outgoing>>,
    /// What is stored with it, if that is more than it was sent with.
    pub(crate) metadata: Option<Metadata>,
    /// Whether a change of a CRDT was left out, because it could not be named.
    pub(crate) is_exhausted: bool,
}

impl<E: Behavior> Wishes<E> {
    /// Those of an operation that may not write.
    #[cfg(feature = "testing")]
    pub(crate) fn none(now: Timestamp) -> Self {
        Self {
            now,
            events: Vec::new(),
            deletes: false,
            outgoing: None,
            metadata: None,
            is_exhausted: false,
        }
    }
}

impl<E: Behavior> Context<E> {
    /// A context at a point of an entity's life, which repeats: two that are made of the same have
    /// the same random numbers. The runtime and the test kit make them.
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
            outgoing: None,
            caller: None,
            nonce: OnceLock::from(0),
            replica: ReplicaId::new(1),
            aside: None,
        }
    }

    /// A context of a runtime whose runs differ: so do the random numbers of each command.
    pub(crate) fn varied(mut self) -> Self {
        self.nonce = OnceLock::new();
        self
    }

    /// Called by this chain of commands.
    pub(crate) fn called_by(mut self, caller: Option<Arc<Chain>>) -> Self {
        self.caller = caller;
        self
    }

    /// Changes a CRDT under this name; the test kit is replica 1.
    pub(crate) fn on_replica(mut self, replica: ReplicaId) -> Self {
        self.replica = replica;
        self
    }

    /// Lets the handler call entities of a runtime and wait for them.
    pub(crate) fn bind(&mut self, runtime: Arc<dyn Any + Send + Sync>) {
        self.aside.get_or_insert_default().runtime = Some(runtime);
    }

    /// Who changes the state, and when: what the changes of a CRDT take
    /// ([`statefn::crdt`](crate::crdt)). The replica is the runtime's
    /// ([`Builder::replica`](crate::Builder::replica)); in a scenario of the test kit it is number 1.
    ///
    /// See [`statefn::crdt`](crate::crdt#entities) for an example.
    pub fn writer(&mut self) -> &mut Writer
    where
        E::Kind: NamesChanges,
    {
        let (replica, now) = (self.replica, self.now.as_millis());
        let aside = self.aside.get_or_insert_default();
        let now = u64::try_from(now).unwrap_or_default();
        aside
            .writer
            .get_or_insert_with(|| Writer::new(replica, now))
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
    /// [`keep`](Self::keep) takes it back. A CRDT entity is deleted for good: every later call is
    /// answered [`CallError::Deleted`](crate::CallError::Deleted), also if it was never used before.
    ///
    /// What remains: sequence numbers go on, keys are remembered as long as ever, and the journal
    /// keeps what was there until the entity is purged ([`Runtime::purge`](crate::Runtime::purge)).
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

    /// The entity.
    #[cfg(feature = "testing")]
    pub(crate) fn persistence_id(&self) -> &PersistenceId {
        &self.id
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

    /// Adds a header to what is stored with the command's events, behind the caller's.
    ///
    /// All of them together are at most as long as one payload may be; more is answered
    /// [`CallError::TooLarge`](crate::CallError::TooLarge), and nothing happens.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use statefn::prelude::*;
    ///
    /// #[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
    /// pub struct Ordered;
    ///
    /// #[entity(event_sourced)]
    /// #[derive(Default, Serialize, Deserialize)]
    /// pub struct Order { count: u64 }
    ///
    /// #[entity]
    /// impl Order {
    ///     #[command]
    ///     fn place(&self, ctx: &mut Context<Self>) {
    ///         let cause = ctx.causation_id().unwrap_or(ctx.command_id());
    ///         ctx.add_metadata("cause", cause.to_string());
    ///         ctx.emit(Ordered);
    ///     }
    ///
    ///     #[event_handler]
    ///     fn ordered(&mut self, _: &Ordered) { self.count += 1; }
    /// }
    ///
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = Runtime::builder().only::<(Order,)>().build().await?;
    /// runtime.entity::<Order>("today").place().with_metadata("user", "alice").await?;
    /// let start = statefn::SequenceNumber::ZERO;
    /// let history = runtime.admin().history::<Order>("today", start, 10).await?;
    /// let stored = &history[0].metadata;
    /// assert_eq!(stored.get("user"), Some("alice"));
    /// assert_eq!(stored.get("cause").map(str::len), Some(32));
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_metadata(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let aside = self.aside.get_or_insert_default();
        aside.added.insert(name, value);
    }

    /// The entity whose async command made this call and waits for it. `None` for a call from
    /// outside.
    pub fn caller(&self) -> Option<&PersistenceId> {
        self.caller.as_deref().map(Chain::id)
    }

    /// The command that made this call and waits for it. `None` for a call from outside.
    pub fn causation_id(&self) -> Option<CommandId> {
        self.caller.as_deref().map(Chain::command)
    }

    /// The command with which the chain of calls began that led here: this one, for a call from
    /// outside.
    pub fn correlation_id(&self) -> CommandId {
        let caller = self.caller.as_deref();
        caller.map_or_else(|| self.command_id(), Chain::first)
    }

    /// Random numbers for this run of the command.
    ///
    /// In the test kit they follow from what the command is given (id, sequence number, time,
    /// headers), so that it decides the same when it runs again; in a runtime each run gets others.
    /// A retry under a key that was applied answers what the first run answered.
    ///
    /// They are fast ([wyrand](https://github.com/wangyi-fudan/wyhash)) and not fit for secrets.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use statefn::prelude::*;
    ///
    /// #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    /// pub struct Rolled { eyes: u8 }
    ///
    /// #[entity(event_sourced)]
    /// #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    /// pub struct Die { eyes: u8 }
    ///
    /// #[entity]
    /// impl Die {
    ///     #[command]
    ///     fn roll(&self, ctx: &mut Context<Self>) -> Then<Self, u8> {
    ///         let eyes = ctx.rng().u8(1..=6);
    ///         ctx.emit(Rolled { eyes });
    ///         ctx.then(|die| die.eyes)
    ///     }
    ///
    ///     #[event_handler]
    ///     fn rolled(&mut self, event: &Rolled) { self.eyes = event.eyes; }
    /// }
    ///
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = Runtime::builder().only::<(Die,)>().build().await?;
    /// let eyes = runtime.entity::<Die>("red").roll().await?;
    /// assert!((1..=6).contains(&eyes));
    /// # Ok(())
    /// # }
    /// ```
    pub fn rng(&mut self) -> &mut fastrand::Rng {
        let has_rng = self.aside.as_ref().is_some_and(|aside| aside.rng.is_some());
        let seed = if has_rng { 0 } else { self.identity("rng") };
        #[expect(clippy::cast_possible_truncation, reason = "the lower half of a hash")]
        let seed = || fastrand::Rng::with_seed(seed as u64);
        self.aside
            .get_or_insert_default()
            .rng
            .get_or_insert_with(seed)
    }

    /// Identifies this run of the command: what it causes can name it.
    pub fn command_id(&self) -> CommandId {
        CommandId::new(self.identity("command"))
    }

    /// What distinguishes this run of a command.
    fn identity(&self, purpose: &str) -> u128 {
        let mut facts = Vec::with_capacity(128);
        let mut add = |bytes: &[u8]| {
            facts.extend_from_slice(&bytes.len().to_le_bytes());
            facts.extend_from_slice(bytes);
        };
        add(purpose.as_bytes());
        add(self.id.entity_type().as_str().as_bytes());
        add(self.id.id().as_bytes());
        add(&self.sequence.get().to_le_bytes());
        add(&self.now.as_millis().to_le_bytes());
        add(&self.nonce.get_or_init(nonce).to_le_bytes());
        for (name, value) in self.metadata.iter() {
            add(name.as_bytes());
            add(value.as_bytes());
        }
        stable_128(&facts)
    }

    /// What the command asked for.
    pub(crate) fn into_wishes(self) -> Wishes<E> {
        let writer = self.aside.as_ref().and_then(|aside| aside.writer.as_ref());
        let is_exhausted = writer.is_some_and(Writer::is_exhausted);
        let added = self.aside.map(|aside| aside.added);
        let metadata = added.filter(|added| !added.is_empty()).map(|added| {
            let mut metadata = self.metadata;
            metadata.append(added);
            metadata
        });
        Wishes {
            now: self.now,
            events: self.events,
            deletes: self.deletes,
            outgoing: self.outgoing,
            metadata,
            is_exhausted,
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
