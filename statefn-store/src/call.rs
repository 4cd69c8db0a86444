//! A command on its way to an entity, as it is stored, and its number.

use std::borrow::Cow;
use std::fmt;

use crate::{Offset, PersistenceId};

/// Number of a stored call, an effect or a timer, in the whole store; never used twice.
///
/// The numbers of one sender rise in the order of its commands, and within a command in the order
/// in which it sent: effects first, then timers.
///
/// ```
/// use statefn_store::{Offset, OutboxNumber};
///
/// let second = OutboxNumber::of(Offset::new(7), 1);
/// assert_eq!(second.get(), 7 * 1_024 + 1);
/// assert_eq!(second.offset(), Offset::new(7));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutboxNumber(u64);

impl OutboxNumber {
    /// So many effects and timers together may one member hold.
    pub const PER_MEMBER: u16 = 1_024;

    /// Before the first call.
    pub const ZERO: Self = Self(0);

    /// The number of the `index`th call of the member whose last entry is at `position`.
    pub const fn of(position: Offset, index: u16) -> Self {
        let first = position.get().saturating_mul(Self::PER_MEMBER as u64);
        Self(first.saturating_add(index as u64))
    }

    /// The number with this value.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The plain number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The entry of the command that sent the call.
    #[must_use]
    pub const fn offset(self) -> Offset {
        Offset::new(self.0 / Self::PER_MEMBER as u64)
    }
}

impl fmt::Display for OutboxNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A command on its way to an entity, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCall {
    /// The entity that is to run it.
    pub target: PersistenceId,
    /// The declared name of the command.
    pub command: Cow<'static, str>,
    /// Which codec wrote the arguments.
    pub codec: u8,
    /// The encoded arguments.
    pub arguments: Vec<u8>,
    /// Encoded metadata; empty when there is none.
    pub metadata: Vec<u8>,
    /// How many effects lie between this call and the one from outside that caused it.
    pub hops: u16,
}

impl StoredCall {
    /// How many bytes it takes, about.
    pub fn bytes(&self) -> usize {
        64 + self.target.id().len() + self.arguments.len() + self.metadata.len()
    }
}
