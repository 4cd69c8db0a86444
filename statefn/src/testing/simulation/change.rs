//! One change of an entity, as the journal has it or as a handler makes it.

use statefn_store::{Entry, EntryBody, NewEvent, NewState, StateChange};

use crate::runtime::decision::Written;

/// What of it is the handler's: name, version and payload.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    Event(String, u32, Vec<u8>),
    State(u32, Vec<u8>),
    Deleted,
}

impl Change {
    /// The change that an entry holds, if it holds one.
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        match &entry.body {
            EntryBody::Event { event, .. } => Some(Self::event(event)),
            EntryBody::State { state, .. } => Some(Self::state(state)),
            EntryBody::Deleted { .. } => Some(Self::Deleted),
            _ => None,
        }
    }

    /// The changes that a command makes.
    pub(super) fn all(written: &Written) -> Vec<Self> {
        let mut changes: Vec<Self> = written.events.iter().map(Self::event).collect();
        changes.extend(written.state.as_deref().map(|change| match change {
            StateChange::Put(state) => Self::state(state),
            StateChange::Delete => Self::Deleted,
        }));
        changes
    }

    fn event(event: &NewEvent) -> Self {
        let NewEvent {
            name,
            version,
            payload,
            ..
        } = event;
        Self::Event(name.clone().into_owned(), *version, payload.clone())
    }

    fn state(state: &NewState) -> Self {
        Self::State(state.version, state.payload.clone())
    }
}
