//! Who called: the commands that wait for each other's answers, innermost first.

use std::fmt;
use std::sync::Arc;

use statefn_store::PersistenceId;

/// Identifies one run of a command; see [`Context::command_id`](crate::Context::command_id).
///
/// Shown as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandId(u128);

impl CommandId {
    pub(crate) fn new(id: u128) -> Self {
        Self(id)
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

/// An async command that waits for a call, and who waits for it in turn.
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

    /// How many commands wait.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// The command with which the chain began.
    pub(crate) fn first(&self) -> CommandId {
        self.links().last().unwrap_or(self).command
    }

    /// Whether a command of this entity waits.
    pub(crate) fn holds(&self, id: &PersistenceId) -> bool {
        self.links().any(|link| link.id == *id)
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
