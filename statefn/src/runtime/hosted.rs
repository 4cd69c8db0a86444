//! An entity type as a runtime hosts it.

use std::sync::Arc;

use statefn_store::{EntityType, Timestamp};

use crate::entity::Options;
use crate::runtime::definition::Definition;
use crate::runtime::delivery::Commands;
use crate::runtime::outcome;

/// A hosted entity type, with what is worked out once.
pub(crate) struct Hosted {
    pub(crate) definition: Arc<dyn Definition>,
    pub(crate) entity_type: EntityType,
    pub(crate) options: Options,
    /// Hash of the state's shape over its codec.
    pub(crate) shape: u128,
    /// Idle ticks after which an entity leaves memory.
    pub(crate) idle_ticks: u32,
    /// Its commands, for stored calls.
    pub(crate) commands: Commands,
}

impl Hosted {
    /// Keys written before this instant have expired.
    pub(crate) fn cutoff(&self, now: Timestamp) -> Timestamp {
        outcome::cutoff(now, self.options.key_retention)
    }
}
