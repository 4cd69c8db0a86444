//! Mistakes that can be planted, so that the tests show that they would find them.
//!
//! In a normal build `planted!(..)` is `false`, and nothing else in here exists. Built with
//! `--cfg statefn_planted`, a test plants one mistake at a time, for its own thread.

#[cfg(not(statefn_planted))]
macro_rules! planted {
    ($mistake:ident) => {
        false
    };
}

#[cfg(statefn_planted)]
macro_rules! planted {
    ($mistake:ident) => {
        $crate::planted::is_planted($crate::planted::Mistake::$mistake)
    };
}

#[cfg(statefn_planted)]
macro_rules! mistakes {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A mistake that can be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mistake {
            $($(#[$doc])* $name,)*
        }

        impl Mistake {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

#[cfg(statefn_planted)]
mistakes! {
    /// What a rejected command did to a state in place stays.
    RollbackMissed,
    /// A deletion is answered before its commit.
    DeletionSaidEarly,
    /// A deletion stays in memory and does not reach the journal.
    DeletionNotStored,
    /// A deleted entity keeps its state in memory.
    DeletedStateKept,
    /// A reply leaves before its commit.
    ReplyBeforeCommit,
    /// A rejection leaves before the commit of what it was decided on.
    RejectionNotGated,
    /// A query answers what is not committed.
    QueryNotGated,
    /// A duplicate of a command under way is answered before its commit.
    DuplicateAnsweredEarly,
    /// A duplicate of a command under way runs as well.
    DuplicateRunsTwice,
    /// What was decided on a refused write goes on.
    SuccessorSurvives,
    /// What is in memory outlives a failure of the store.
    MemoryKept,
    /// An unknown outcome is said to be "not applied".
    UnknownSaidNotApplied,
    /// A refused write is acknowledged.
    RefusalAcknowledged,
    /// One refused member fails the whole batch.
    ConflictFailsBatch,
    /// The next command expects one event too many.
    SequenceOffByOne,
    /// A snapshot holds an event that the journal does not.
    SnapshotAheadOfJournal,
    /// A key is not stored with its events.
    KeyNotStored,
    /// Keys are not loaded with their entity.
    KeysNotRecovered,
    /// Keys beyond those in memory are taken for new ones.
    OldKeysForgotten,
    /// An entity leaves memory without an answer to those who wait for it.
    WaitingForgotten,
    /// An entity leaves memory while it has writes under way.
    PassivatedTooEarly,
    /// A discarded entity recovers before its writes under way have ended.
    RecoveredTooEarly,
    /// The late answer of an abandoned commit decides about a newer one.
    LateCommitTaken,
    /// Those who wait for an entity are served backwards.
    QueueBackwards,
    /// Nobody runs what waited for a recovery.
    RecoveredNotRun,
    /// A write under way is said to have timed out before it began.
    WriteSaidTimedOut,
    /// An async command starts before the earlier writes of its entity have committed.
    AsyncStartsEarly,
    /// Whoever leaves memory keeps its place.
    RoomNotGivenBack,
    /// An effect stays in the outbox after its target's commit.
    EffectStays,
    /// An effect leaves the outbox before its target's commit.
    EffectGone,
    /// A timer's firing does not settle it: it fires again.
    FiringStays,
    /// What a rejected command has sent goes out all the same.
    RefusedEffectSent,
    /// A purge deletes, and erases nothing.
    PurgeErasesNothing,
    /// A forward is made before its command has committed.
    ForwardBeforeCommit,
    /// The target of a keyed forward gets no key: a retry runs it again.
    ForwardUnnamed,
    /// A row that was not read is taken for one that is not there.
    UnreadRowsAreAbsent,
    /// What a handler wrote before it failed stays.
    FailedRowsStay,
    /// An entry at which a handler fails is passed over in silence.
    FailedEntryPassed,
    /// A projection moves past entries of a page that were not told.
    OffsetAheadOfRows,
    /// A projection that was overtaken goes on as if it were not.
    OvertakenIgnored,
    /// What is believed of rows outlives a failure of the store.
    RowsOutliveFailure,
    /// Whoever was answered keeps its place among those who wait.
    PlaceNotGivenBack,
}

#[cfg(statefn_planted)]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Mistake>> = const { std::cell::Cell::new(None) };
}

/// Whether this mistake is planted on this thread.
#[cfg(statefn_planted)]
pub(crate) fn is_planted(mistake: Mistake) -> bool {
    PLANTED.get() == Some(mistake)
}

/// Plants a mistake on this thread, instead of an earlier one; `None` ends it.
#[cfg(statefn_planted)]
pub fn plant(mistake: Option<Mistake>) {
    PLANTED.set(mistake);
}
