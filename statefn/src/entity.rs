//! Entities: the two halves that `#[entity]` makes of a struct and its impl.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::Codec;
use crate::command::CommandVisitor;
use crate::event::Event;

/// A keyed, durable piece of state: the half that `#[entity(..)]` on the struct makes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity",
    note = "put `#[entity(event_sourced, name = \"..\")]` or `#[entity(crud, name = \"..\")]` on the struct"
)]
pub trait Entity: Sized + Send + 'static {
    /// Which state model the entity follows.
    type Kind: Kind;

    /// The generated reference type, with a method for each command and query.
    type Ref: EntityRef<Entity = Self>;

    /// The name under which entities of this type are stored.
    const TYPE: &'static str;

    /// The options of the attribute.
    const OPTIONS: Options;
}

/// What an entity does: the half that `#[entity]` on the impl makes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no handlers",
    label = "an entity needs `#[entity]` on its impl block as well",
    note = "put `#[entity]` on `impl {Self}`, in the same module"
)]
pub trait Behavior: Entity<Kind: Model<Self>> + Default + Serialize + DeserializeOwned {
    /// The events of this entity: the user's enum, or a hidden enum of the handled structs. A CRUD
    /// entity is stored whole: its state is its only event.
    type Event: Event;

    /// Applies an event to the state. Runs on emit and on every replay.
    fn apply(&mut self, event: &Self::Event);

    /// Shows all commands, so that stored calls find them by their names. Without it, an effect or
    /// timer that calls the entity becomes a dead letter.
    fn commands<V: CommandVisitor<Self>>(visitor: &mut V) {
        let _ = visitor;
    }

    /// What a command of a CRDT entity changed, to be stored: its state is its only event, too.
    #[doc(hidden)]
    fn take_delta(&mut self) -> Option<Self::Event> {
        None
    }

    /// Whether two states are equal, for checks. `None` when the type has no `PartialEq`.
    #[doc(hidden)]
    fn same(&self, other: &Self) -> Option<bool> {
        let _ = other;
        None
    }
}

/// A state that commands change in place: what a CRUD or a CRDT entity is besides an [`Entity`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `#[event_handler]`",
    label = "add `fn apply(&mut self, event: &..)` to this block, the one block with `#[entity]`",
    note = "an event-sourced entity is the fold of its events; one that is stored whole says \
            `#[entity(crud)]`"
)]
pub trait StoredWhole: Entity {
    /// What is stored: the state itself, declared as an event is (name, version, upcaster).
    type State: Event;

    /// Takes a stored state over: a CRUD entity in the place of its own, a CRDT entity merges it.
    fn replace(&mut self, state: &Self::State);

    /// What changed since the last call, of a CRDT entity.
    #[doc(hidden)]
    fn delta(&mut self) -> Option<Self::State> {
        None
    }

    /// What a command works on; dropped when it fails.
    #[must_use]
    fn copied(&self) -> Self;
}

/// An event that the entity `E` has a handler for: what `ctx.emit` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event of `{E}`",
    label = "`{E}` has no `#[event_handler]` for this type",
    note = "add an `#[event_handler]` for `{Self}` to the `#[entity]` impl of `{E}`"
)]
pub trait EventOf<E: Behavior> {
    /// The event as the entity stores it.
    fn into_event(self) -> E::Event;
}

/// A reference type that `#[entity]` generates.
pub trait EntityRef: Clone + Send + Sync + 'static {
    /// The entity that it refers to.
    type Entity: Entity;

    /// Wraps a handle; [`Runtime::entity`](crate::Runtime::entity) calls it.
    #[doc(hidden)]
    fn from_handle(handle: crate::__private::Handle<Self::Entity>) -> Self;
}

mod sealed {
    pub trait Sealed {}
}

/// A state model.
pub trait Kind: sealed::Sealed + 'static {
    /// How the attribute spells it.
    const NAME: &'static str;

    /// Whether the state is stored whole, not as events.
    const IS_WHOLE: bool;

    /// Whether the state is a CRDT, stored as the deltas of its changes.
    const IS_CRDT: bool = false;
}

/// State is the fold of stored events.
#[derive(Debug)]
pub enum EventSourcedKind {}

impl sealed::Sealed for EventSourcedKind {}

impl Kind for EventSourcedKind {
    const NAME: &'static str = "event_sourced";
    const IS_WHOLE: bool = false;
}

/// Commands change the state in place, and it is stored whole.
#[derive(Debug)]
pub enum CrudKind {}

impl sealed::Sealed for CrudKind {}

impl Kind for CrudKind {
    const NAME: &'static str = "crud";
    const IS_WHOLE: bool = true;
}

/// Commands change the state in place, and what they changed is stored as a delta.
#[derive(Debug)]
pub enum CrdtKind {}

impl sealed::Sealed for CrdtKind {}

impl Kind for CrdtKind {
    const NAME: &'static str = "crdt";
    const IS_WHOLE: bool = false;
    const IS_CRDT: bool = true;
}

/// The state model in which changes have names: what [`Context::writer`](crate::Context::writer) asks for.
#[diagnostic::on_unimplemented(
    message = "only a CRDT entity names its changes",
    label = "there is no writer here",
    note = "replicas merge the changes of an entity with `#[entity(crdt)]`; any other entity can hold a \
            CRDT as a value, and makes a `Writer` itself"
)]
pub trait NamesChanges: Kind {}

impl NamesChanges for CrdtKind {}

/// What a state model means for an entity: on what a command works, and what memory knows of what is
/// stored. The rest is the same for all.
pub trait Model<E: Entity>: Kind {
    /// How a test hands the state to a command: `&E` or `&mut E`.
    #[doc(hidden)]
    type Handle<'a>;

    /// What memory knows of the stored state.
    #[doc(hidden)]
    type Stored: Copy + Default + Send + 'static;

    /// What a command works on, if not on the state itself.
    #[doc(hidden)]
    fn copy(state: &E) -> Option<E>;

    /// What a test hands to a command.
    #[doc(hidden)]
    fn handle(state: &mut E) -> Self::Handle<'_>;

    /// What memory keeps of a stored state with this hash of its bytes.
    #[doc(hidden)]
    fn stored(digest: u128) -> Self::Stored;

    /// The hash of the stored state's bytes; `None` if there is none.
    #[doc(hidden)]
    fn digest(stored: Self::Stored) -> Option<u128>;

    /// What memory keeps of an entity that is deleted.
    #[doc(hidden)]
    fn deleted() -> Self::Stored {
        Self::Stored::default()
    }

    /// Whether the entity is deleted for good.
    #[doc(hidden)]
    fn has_ended(stored: Self::Stored) -> bool {
        let _ = stored;
        false
    }
}

impl<E: Entity> Model<E> for EventSourcedKind {
    type Handle<'a> = &'a E;
    type Stored = ();

    fn copy(_: &E) -> Option<E> {
        None
    }

    fn handle(state: &mut E) -> &E {
        state
    }

    fn stored(_: u128) {}

    fn digest((): ()) -> Option<u128> {
        None
    }
}

impl<E: StoredWhole> Model<E> for CrudKind {
    type Handle<'a> = &'a mut E;
    type Stored = Option<u128>;

    fn copy(state: &E) -> Option<E> {
        Some(state.copied())
    }

    fn handle(state: &mut E) -> &mut E {
        state
    }

    fn stored(digest: u128) -> Option<u128> {
        Some(digest)
    }

    fn digest(stored: Option<u128>) -> Option<u128> {
        stored
    }
}

impl<E: StoredWhole> Model<E> for CrdtKind {
    type Handle<'a> = &'a mut E;
    /// Whether it is deleted.
    type Stored = bool;

    fn copy(state: &E) -> Option<E> {
        Some(state.copied())
    }

    fn handle(state: &mut E) -> &mut E {
        state
    }

    fn stored(_: u128) -> bool {
        false
    }

    fn digest(_: bool) -> Option<u128> {
        None
    }

    fn deleted() -> bool {
        true
    }

    fn has_ended(is_deleted: bool) -> bool {
        is_deleted
    }
}

/// The options of `#[entity(..)]`.
///
/// ```
/// use statefn::entity::Options;
///
/// let options = Options::DEFAULT.snapshot_every(1_000);
/// assert_eq!(options.snapshot_every, 1_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// A snapshot is due when a command's events include a sequence number divisible by this;
    /// `0` means never. Default 100.
    pub snapshot_every: u64,
    /// An entity that was idle for this long leaves memory. `None`: the runtime's default.
    pub passivate_after: Option<Duration>,
    /// Which codec writes events, snapshots and records.
    pub codec: Codec,
    /// For how long a command's key is remembered. Default 24 hours.
    pub key_retention: Duration,
    /// Name of the state's shape, for state whose shape cannot be traced. `None`: traced.
    pub shape: Option<&'static str>,
}

impl Options {
    /// What holds when the attribute says nothing.
    pub const DEFAULT: Self = Self {
        snapshot_every: 100,
        passivate_after: None,
        codec: Codec::Bincode,
        key_retention: Duration::from_secs(24 * 60 * 60),
        shape: None,
    };

    /// Sets [`snapshot_every`](Self::snapshot_every).
    #[must_use]
    pub const fn snapshot_every(mut self, events: u64) -> Self {
        self.snapshot_every = events;
        self
    }

    /// Sets [`passivate_after`](Self::passivate_after).
    #[must_use]
    pub const fn passivate_after(mut self, idle: Duration) -> Self {
        self.passivate_after = Some(idle);
        self
    }

    /// Sets [`codec`](Self::codec).
    #[must_use]
    pub const fn codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    /// Sets [`key_retention`](Self::key_retention).
    #[must_use]
    pub const fn key_retention(mut self, retention: Duration) -> Self {
        self.key_retention = retention;
        self
    }

    /// Sets [`shape`](Self::shape).
    #[must_use]
    pub const fn shape(mut self, name: &'static str) -> Self {
        self.shape = Some(name);
        self
    }
}
