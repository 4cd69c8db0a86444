//! What can go wrong, and where.

/// The calls of a [`Store`](crate::Store) that a test can count, hold and fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Call {
    /// [`Store::claim`](crate::Store::claim).
    Claim,
    /// [`Store::commit`](crate::Store::commit).
    Commit,
    /// [`Store::erase`](crate::Store::erase).
    Erase,
    /// [`Store::load`](crate::Store::load).
    Load,
    /// [`Store::find_record`](crate::Store::find_record).
    FindRecord,
    /// [`Store::read`](crate::Store::read).
    Read,
    /// [`Store::entities`](crate::Store::entities).
    Entities,
    /// [`Store::entity_types`](crate::Store::entity_types).
    EntityTypes,
    /// [`Store::effects`](crate::Store::effects).
    Effects,
    /// [`Store::dead_letters`](crate::Store::dead_letters).
    DeadLetters,
    /// [`Store::timers`](crate::Store::timers).
    Timers,
    /// [`Store::tend`](crate::Store::tend).
    Tend,
    /// [`Store::projections`](crate::Store::projections).
    Projections,
    /// [`Store::project`](crate::Store::project).
    Project,
    /// [`Store::rows`](crate::Store::rows).
    Rows,
    /// [`Store::view`](crate::Store::view).
    View,
    /// [`Store::passed_over`](crate::Store::passed_over).
    PassedOver,
    /// [`Store::verify`](crate::Store::verify).
    Verify,
    /// [`Store::backup`](crate::Store::backup).
    Backup,
    /// [`Store::salvage`](crate::Store::salvage).
    Salvage,
    /// [`Store::close`](crate::Store::close).
    Close,
}

/// What happens to one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommitFault {
    /// Nothing: the commit goes through. Fills a place in a script.
    Pass,
    /// Answers `Unavailable`; nothing is applied.
    Unavailable,
    /// Applies the batch and answers `Unknown`.
    UnknownApplied,
    /// Answers `Unknown`; nothing is applied.
    UnknownNotApplied,
    /// Refuses one member (at this index, counted round and round the batch) and every later one of
    /// its entity, as if somebody else had written to it; the others go through.
    Refuse {
        /// Which member.
        member: usize,
    },
    /// The batch reaches the store a second time after it was committed, as a request that was sent
    /// again on its way; the caller gets the first answer.
    Repeat,
    /// Another owner claims the store just before: answers `Fenced`, nothing is applied, and every
    /// later commit under the old epoch is fenced too.
    Fence,
}
