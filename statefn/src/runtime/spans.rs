//! The `tracing` spans of the runtime: their names and fields, in one place.
//!
//! They say which entity and which sequence number, never what is in a command, an event or a
//! state. Without a subscriber that wants them they cost one look at a flag each.

use statefn_store::{Batch, PersistenceId, SequenceNumber};
use tracing::Span;
use tracing::field::Empty;

/// One command or query, around its handler. `sequence` is the entity's last event before it.
pub(super) fn command(id: &PersistenceId, name: &'static str, sequence: SequenceNumber) -> Span {
    tracing::debug_span!(
        "command",
        entity = %id.entity_type(),
        id = id.id(),
        command = name,
        sequence = sequence.get()
    )
}

/// One entity on its way into memory. `sequence` is filled in at its end.
pub(super) fn recovery(id: &PersistenceId) -> Span {
    tracing::debug_span!(
        "recovery",
        entity = %id.entity_type(),
        id = id.id(),
        sequence = Empty
    )
}

/// What a batch shows while it is with the store.
pub(super) struct Commit {
    /// The batch as a whole.
    pub(super) batch: Span,
    /// One a member, inside the batch's; empty when nobody looks.
    pub(super) members: Vec<Span>,
}

/// A batch on its way to stable storage, and each member of it with its last sequence number.
pub(super) fn commit(batch: &Batch) -> Commit {
    let span = tracing::debug_span!("batch", members = batch.members.len());
    let members = if span.is_disabled() {
        Vec::new()
    } else {
        batch
            .members
            .iter()
            .map(|member| {
                tracing::debug_span!(
                    parent: &span,
                    "commit",
                    entity = %member.id.entity_type(),
                    id = member.id.id(),
                    sequence = member.last_sequence().get(),
                    events = member.events.len()
                )
            })
            .collect()
    };
    Commit {
        batch: span,
        members,
    }
}
