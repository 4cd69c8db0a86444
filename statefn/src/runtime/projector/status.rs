//! What operators are told of a projection.

use std::sync::Arc;
use std::time::Duration;

use statefn_store::{Offset, PersistenceId, SequenceNumber};

use super::Projector;
use crate::runtime::shared::Shared;

/// One projection of a runtime, as [`Admin::projections`](crate::Admin::projections) answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProjectionStatus {
    /// Its declared name.
    pub name: String,
    /// Its declared version.
    pub version: u32,
    /// Its rows are the fold of all entries up to here.
    pub offset: Offset,
    /// The newest entry of the journal that the runtime knows of.
    pub end: Offset,
    /// How long ago the newest folded entry was written, if there are entries behind it.
    pub lag: Option<Duration>,
    /// Whether reads are answered from this version: an older one serves until it has caught up.
    pub serves: bool,
    /// Entries told to handlers since the runtime began.
    pub told: u64,
    /// Failed attempts since the runtime began.
    pub errors: u64,
    /// What it is doing.
    pub state: ProjectionState,
}

impl ProjectionStatus {
    /// How many entries of the journal are still to be folded; of all kinds and entities.
    pub fn entries_behind(&self) -> u64 {
        self.end.get().saturating_sub(self.offset.get())
    }
}

/// What a projection is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProjectionState {
    /// It folds what comes.
    Running,
    /// An entry has failed and is tried again after a while.
    Retrying {
        /// How often it has failed.
        failures: u32,
        /// The entry, and why.
        at: Arc<StoppedAt>,
    },
    /// It goes no further before an operator decides.
    Stopped(Arc<StoppedAt>),
}

/// The entry at which a projection fails, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoppedAt {
    /// The entry.
    pub offset: Offset,
    /// The entity that wrote it; `None` if the entry itself is damaged.
    pub entity: Option<PersistenceId>,
    /// The entity's sequence number there.
    pub sequence: SequenceNumber,
    /// Why. May quote the entry.
    pub reason: String,
}

impl Projector {
    /// What there is to tell.
    pub(crate) fn status(&self, shared: &Shared) -> ProjectionStatus {
        let standing = self.standing.borrow().clone();
        let account = self.account().clone();
        let offset = standing.offset.unwrap_or_default();
        let end = shared.projectors.end().max(offset);
        let state = match (standing.stopped, account.failing) {
            (Some(at), _) => ProjectionState::Stopped(at),
            (None, Some((failures, at))) => ProjectionState::Retrying {
                failures,
                at: Arc::new(at),
            },
            (None, None) => ProjectionState::Running,
        };
        let now = shared.env.wall().as_millis();
        let age = |since: i64| {
            Duration::from_millis(u64::try_from(now.saturating_sub(since)).unwrap_or(0))
        };
        ProjectionStatus {
            name: self.id.name.clone(),
            version: self.id.version,
            offset,
            end,
            lag: account
                .time
                .filter(|_| end > offset)
                .map(|time| age(time.as_millis())),
            // Rows that are about to be built anew do not count.
            serves: standing.serves && !account.rebuilds,
            told: account.told,
            errors: account.errors,
            state,
        }
    }
}
