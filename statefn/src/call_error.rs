//! Why a call was not answered with a reply, and what that says about its effect.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use statefn_store::{PersistenceId, SequenceNumber};

use crate::infallible::Infallible;

/// Why a call was not answered with a reply.
///
/// [`Rejected`](Self::Rejected) is the domain's no. Everything else is machinery and answers two
/// questions: [`persisted`](Self::persisted) and [`is_retryable`](Self::is_retryable).
///
/// ```
/// use statefn::{CallError, Persisted};
///
/// let error: CallError<String> = CallError::Timeout;
/// assert_eq!(error.persisted(), Persisted::No);
/// assert!(error.is_retryable());
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError<E> {
    /// The handler answered with its own error; decided on committed state. Not applied.
    #[error("rejected: {0}")]
    Rejected(E),
    /// The command was applied and [forwarded](crate::Context::forward), and then another one said no
    /// or failed: what it and those before it did stands. Retry only under the same key: that
    /// follows the forward instead of applying the command again.
    #[error(transparent)]
    Forwarded(Box<Forwarded<E>>),
    /// A limit is reached. Not applied; try again later.
    #[error("overloaded: {0}")]
    Overloaded(Overload),
    /// The deadline passed before the handler started, or while an async one was still running,
    /// which ended there. Not applied; what an async command had others do stands.
    #[error("the deadline passed before the command was done")]
    Timeout,
    /// Applied or not: the commit did not answer, or the deadline passed while it was under way.
    /// Retry only under the same key.
    #[error("the outcome is unknown: {reason}")]
    OutcomeUnknown {
        /// What happened.
        reason: Arc<str>,
    },
    /// The store or the runtime cannot take it now. Not applied.
    #[error("unavailable: {reason}")]
    Unavailable {
        /// What happened.
        reason: Arc<str>,
    },
    /// The entity cannot be recovered and waits for an operator. Not applied.
    #[error(transparent)]
    Quarantined(Arc<Quarantine>),
    /// The handler, an event handler or the reply closure panicked. Not applied.
    #[error("the handler of {id} panicked: {message}")]
    Panicked {
        /// The entity.
        id: PersistenceId,
        /// The panic's message.
        message: Arc<str>,
    },
    /// A call was polled inside a synchronous handler, or a call or forward leads back to an entity that
    /// it came from. Not applied.
    #[error("a handler cannot call an entity and wait for it")]
    Reentrancy,
    /// Something is larger than the limit. Not applied.
    #[error("{what} has {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The entity id or the idempotency key is not valid. Not applied.
    #[error("invalid {what}: {reason}")]
    Invalid {
        /// `entity id` or `key`.
        what: &'static str,
        /// What was expected.
        reason: Arc<str>,
    },
    /// The key was used for another command or other arguments. Not applied.
    #[error("key {key:?} was used for another command")]
    KeyReused {
        /// The key.
        key: Arc<str>,
    },
    /// The command under this key was applied before, but its stored reply no longer decodes.
    #[error("the command under key {key:?} was applied, its reply cannot be decoded any more")]
    AlreadyApplied {
        /// The key.
        key: Arc<str>,
    },
    /// A value cannot be encoded. Not applied.
    #[error("cannot encode {what}: {reason}")]
    Encoding {
        /// What could not be encoded.
        what: &'static str,
        /// What the codec said.
        reason: Arc<str>,
    },
    /// The entity is a CRDT and was deleted: its id is used up. Not applied.
    #[error("the entity was deleted for good")]
    Deleted,
    /// This runtime does not host the entity type. Not applied.
    #[error("this runtime does not host entities of type {entity_type:?}")]
    NotHosted {
        /// The type.
        entity_type: &'static str,
    },
    /// Another runtime owns the store now. Not applied.
    #[error("another runtime owns the store")]
    Fenced,
    /// The runtime has been shut down. Not applied.
    #[error("the runtime is stopped")]
    Stopped,
    /// `wait` was called inside an async runtime, where it would block a worker. Not applied.
    #[error("`wait` blocks its thread and must not be called inside an async runtime")]
    WaitInsideRuntime,
}

/// Which limit a call met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Overload {
    /// Too many commands wait in front of this entity.
    #[error("too many commands wait for this entity")]
    Mailbox,
    /// Too many calls wait in this runtime.
    #[error("too many calls wait in this runtime")]
    Waiting,
    /// Too many bytes of arguments wait in this runtime.
    #[error("too many bytes of arguments wait in this runtime")]
    WaitingBytes,
    /// Every entity in memory is busy and no further one fits.
    #[error("every entity in memory is busy and no further one fits")]
    Residents,
    /// The outbox is full: too many effects wait for their delivery.
    #[error("too many effects wait for their delivery")]
    Outbox,
    /// The entity panicked repeatedly and refuses commands for a while.
    #[error("the entity panicked repeatedly and refuses commands for a while")]
    Panics,
}

/// Why an entity cannot be recovered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{id} is quarantined at sequence number {sequence}: {reason}")]
pub struct Quarantine {
    /// The entity.
    pub id: PersistenceId,
    /// The event at which recovery stopped.
    pub sequence: SequenceNumber,
    /// Why.
    pub reason: String,
}

/// What became of a command that was applied and then forwarded, when the target did not reply.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Forwarded<E> {
    /// The last one that it was forwarded to.
    pub target: PersistenceId,
    /// What came of that; [`CallError::persisted`] of it is about the target alone.
    pub error: CallError<E>,
}

// Not derived: each of the two error types would ask for the other.
impl<E: fmt::Display> fmt::Display for Forwarded<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, error } = self;
        write!(f, "applied and forwarded to {target}: {error}")
    }
}

impl<E: fmt::Debug + fmt::Display> Error for Forwarded<E> {}

/// Whether the command took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persisted {
    /// It took effect and is on stable storage.
    Yes,
    /// It took no effect.
    No,
    /// Nobody knows.
    Unknown,
}

/// A failure of the machinery, before it is known whose error type it joins.
pub(crate) type Failure = CallError<Infallible>;

impl<E> CallError<E> {
    /// The domain's no, whoever in a chain of forwards said it.
    ///
    /// ```
    /// let error = statefn::CallError::Rejected("no");
    /// assert_eq!(error.rejection(), Some(&"no"));
    /// assert_eq!(statefn::CallError::<&str>::Timeout.rejection(), None);
    /// ```
    pub fn rejection(&self) -> Option<&E> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            Self::Forwarded(forwarded) => forwarded.error.rejection(),
            _ => None,
        }
    }

    /// Whether the command took effect.
    pub fn persisted(&self) -> Persisted {
        match self {
            Self::OutcomeUnknown { .. } => Persisted::Unknown,
            Self::AlreadyApplied { .. } | Self::Forwarded(_) => Persisted::Yes,
            _ => Persisted::No,
        }
    }

    /// Whether the same call may succeed later, without anybody changing anything.
    ///
    /// `OutcomeUnknown` and `Forwarded` are retryable *under the same key only*.
    pub fn is_retryable(&self) -> bool {
        if let Self::Forwarded(forwarded) = self {
            return forwarded.error.is_retryable();
        }
        matches!(
            self,
            Self::Overloaded(_)
                | Self::Timeout
                | Self::OutcomeUnknown { .. }
                | Self::Unavailable { .. }
        )
    }
}

impl Failure {
    pub(crate) fn unavailable(reason: impl Into<Arc<str>>) -> Self {
        Self::Unavailable {
            reason: reason.into(),
        }
    }

    pub(crate) fn unknown(reason: impl Into<Arc<str>>) -> Self {
        if planted!(UnknownSaidNotApplied) {
            return Self::unavailable(reason);
        }
        Self::OutcomeUnknown {
            reason: reason.into(),
        }
    }

    /// The failure in an error of a call; `None` for the domain's no, and for what another command said.
    pub(crate) fn narrow<E>(error: CallError<E>) -> Option<Self> {
        Some(match error {
            CallError::Rejected(_) | CallError::Forwarded(_) => return None,
            CallError::Overloaded(overload) => Self::Overloaded(overload),
            CallError::Timeout => Self::Timeout,
            CallError::OutcomeUnknown { reason } => Self::OutcomeUnknown { reason },
            CallError::Unavailable { reason } => Self::Unavailable { reason },
            CallError::Quarantined(quarantine) => Self::Quarantined(quarantine),
            CallError::Panicked { id, message } => Self::Panicked { id, message },
            CallError::Reentrancy => Self::Reentrancy,
            CallError::TooLarge { what, bytes, limit } => Self::TooLarge { what, bytes, limit },
            CallError::Invalid { what, reason } => Self::Invalid { what, reason },
            CallError::KeyReused { key } => Self::KeyReused { key },
            CallError::AlreadyApplied { key } => Self::AlreadyApplied { key },
            CallError::Encoding { what, reason } => Self::Encoding { what, reason },
            CallError::Deleted => Self::Deleted,
            CallError::NotHosted { entity_type } => Self::NotHosted { entity_type },
            CallError::Fenced => Self::Fenced,
            CallError::Stopped => Self::Stopped,
            CallError::WaitInsideRuntime => Self::WaitInsideRuntime,
        })
    }

    /// The same failure as an error of a call with error type `E`.
    pub(crate) fn widen<E>(self) -> CallError<E> {
        match self {
            Self::Rejected(never) => match never {},
            Self::Forwarded(forwarded) => {
                let Forwarded { target, error } = *forwarded;
                let error = error.widen();
                CallError::Forwarded(Box::new(Forwarded { target, error }))
            }
            Self::Overloaded(overload) => CallError::Overloaded(overload),
            Self::Timeout => CallError::Timeout,
            Self::OutcomeUnknown { reason } => CallError::OutcomeUnknown { reason },
            Self::Unavailable { reason } => CallError::Unavailable { reason },
            Self::Quarantined(quarantine) => CallError::Quarantined(quarantine),
            Self::Panicked { id, message } => CallError::Panicked { id, message },
            Self::Reentrancy => CallError::Reentrancy,
            Self::TooLarge { what, bytes, limit } => CallError::TooLarge { what, bytes, limit },
            Self::Invalid { what, reason } => CallError::Invalid { what, reason },
            Self::KeyReused { key } => CallError::KeyReused { key },
            Self::AlreadyApplied { key } => CallError::AlreadyApplied { key },
            Self::Encoding { what, reason } => CallError::Encoding { what, reason },
            Self::Deleted => CallError::Deleted,
            Self::NotHosted { entity_type } => CallError::NotHosted { entity_type },
            Self::Fenced => CallError::Fenced,
            Self::Stopped => CallError::Stopped,
            Self::WaitInsideRuntime => CallError::WaitInsideRuntime,
        }
    }
}
