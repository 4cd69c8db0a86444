//! Members for the suite: every part of them differs from every other one's.

use std::borrow::Cow;

use crate::{
    Member, NewEvent, NewRecord, NewSnapshot, NewState, PersistenceId, SequenceNumber, Skip,
    StateChange, Timestamp,
};

/// A member in the making.
pub(super) struct Draft(Member);

impl Draft {
    /// Goes on with a member.
    pub(super) fn of(member: Member) -> Self {
        Self(member)
    }

    pub(super) fn new(id: &PersistenceId, expected: u64) -> Self {
        let sequence = SequenceNumber::new(expected);
        // Times fall while sequence numbers rise: nothing may be ordered by them.
        let time = Timestamp::from_millis(1_000_000 - i64::try_from(expected).unwrap_or(0));
        let mut member = Member::new(id.clone(), sequence, time);
        member.metadata = format!("metadata of {id} after {expected}").into_bytes();
        Self(member)
    }

    /// Adds `count` events.
    pub(super) fn events(mut self, count: usize) -> Self {
        for _ in 0..count {
            let number = self.0.last_sequence().next().get();
            let payload = format!("payload {number} of {}", self.0.id).into_bytes();
            self.0.events.push(event(payload));
        }
        self
    }

    /// Adds this event.
    pub(super) fn event(mut self, event: NewEvent) -> Self {
        self.0.events.push(event);
        self
    }

    /// Makes this the state as a whole.
    pub(super) fn state(self) -> Self {
        let number = self.0.last_sequence().next().get();
        let payload = format!("state {number} of {}", self.0.id).into_bytes();
        self.state_of(payload)
    }

    /// Makes this payload the state as a whole.
    pub(super) fn state_of(mut self, payload: Vec<u8>) -> Self {
        self.0.state = Some(Box::new(StateChange::Put(NewState {
            shape: u128::MAX / 3 - u128::from(self.0.last_sequence().get()),
            version: 1 + u32::try_from(payload.len() % 5).unwrap_or(0),
            codec: 3,
            payload,
        })));
        self
    }

    /// Deletes the state.
    pub(super) fn delete(mut self) -> Self {
        self.0.state = Some(Box::new(StateChange::Delete));
        self
    }

    /// Adds a snapshot after the events so far.
    pub(super) fn snapshot(self) -> Self {
        let payload = format!("state of {} at {}", self.0.id, self.0.last_sequence());
        self.snapshot_of(payload.into_bytes())
    }

    /// Adds a snapshot with this payload.
    pub(super) fn snapshot_of(mut self, payload: Vec<u8>) -> Self {
        self.0.snapshot = Some(NewSnapshot {
            shape: u128::MAX - u128::from(self.0.last_sequence().get()),
            codec: 2,
            payload,
        });
        self
    }

    /// Adds an idempotency record.
    pub(super) fn record(self, key: &str) -> Self {
        let outcome = format!("outcome of {key} after {}", self.0.expected);
        self.record_of(key, outcome.into_bytes())
    }

    /// Adds an idempotency record with this outcome.
    pub(super) fn record_of(mut self, key: &str, outcome: Vec<u8>) -> Self {
        self.0.record = Some(NewRecord {
            key: key.to_owned(),
            fingerprint: (1 << 127) + u128::from(self.0.expected.get()),
            outcome,
        });
        self
    }

    /// Adds a skip.
    pub(super) fn skip(mut self, sequence: u64) -> Self {
        self.0.skip = Some(Skip {
            sequence: SequenceNumber::new(sequence),
            reason: format!("reason to skip {sequence}"),
        });
        self
    }

    /// The member.
    pub(super) fn done(self) -> Member {
        self.0
    }
}

/// An event with this payload.
pub(super) fn event(payload: Vec<u8>) -> NewEvent {
    NewEvent {
        name: Cow::Owned(format!("event-{}", payload.len())),
        version: 1 + u32::try_from(payload.len() % 7).unwrap_or(0),
        codec: 1,
        payload,
    }
}

/// The entity `id` of the type that most clauses use.
pub(super) fn cart(id: &str) -> PersistenceId {
    PersistenceId::new("cart", id)
}
