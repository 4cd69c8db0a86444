//! Who called: the commands that wait for each other's answers, innermost first.

use std::fmt;
use std::sync::Arc;

use statefn_store::PersistenceId;

use crate::call_error::Failure;

/// Identifies one run of a command; see [`Context::command_id`](crate::Context::command_id).
///
/// Shown as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandId(u128);

impl CommandId {
    pub(crate) fn new(id: u128) -> Self {
        Self(id)
    }

    pub(crate) fn get(self) -> u128 {
        self.0
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A command that waits for a call or has forwarded one, and who waits for it in turn.
pub(crate) struct Chain {
    id: PersistenceId,
    command: CommandId,
    caller: Option<Arc<Self>>,
    /// How many commands wait, this one included.
    depth: usize,
}

impl Chain {
    /// The command on the entity `id`, called by `caller`.
    pub(crate) fn new(id: PersistenceId, command: CommandId, caller: Option<Arc<Self>>) -> Self {
        let depth = caller.as_ref().map_or(0, |caller| caller.depth) + 1;
        Self {
            id,
            command,
            caller,
            depth,
        }
    }

    /// The entity whose command waits.
    pub(crate) fn id(&self) -> &PersistenceId {
        &self.id
    }

    /// The command that waits.
    pub(crate) fn command(&self) -> CommandId {
        self.command
    }

    /// The command with which the chain began.
    pub(crate) fn first(&self) -> CommandId {
        self.links().last().unwrap_or(self).command
    }

    /// Refuses what leads back to an entity of the chain, or makes it longer than `limit`.
    pub(crate) fn admit(&self, target: &PersistenceId, limit: usize) -> Result<(), Failure> {
        if self.links().any(|link| link.id == *target) {
            return Err(Failure::Reentrancy);
        }
        if self.depth >= limit {
            return Err(Failure::TooLarge {
                what: "the chain of calls (counted in commands)",
                bytes: self.depth + 1,
                limit,
            });
        }
        Ok(())
    }

    fn links(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |link| link.caller.as_deref())
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.links().map(|link| &link.id))
            .finish()
    }
}
