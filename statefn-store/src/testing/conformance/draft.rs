//! Members for the suite: every part of them differs from every other one's.

use std::borrow::Cow;

use crate::{
    Member, NewEvent, NewRecord, NewSnapshot, NewState, NewTimer, PersistenceId, SequenceNumber,
    Settled, Skip, StateChange, StoredCall, TimerChange, Timestamp,
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

    /// Adds `count` effects.
    pub(super) fn effects(mut self, count: u8) -> Self {
        let sender = self.0.id.clone();
        let deferred = self.0.deferred.get_or_insert_default();
        deferred.effects.extend((0..count).map(|index| {
            let target = cart(&format!("target {index} of {sender}"));
            call(&target, index)
        }));
        self
    }

    /// Adds a change of a timer.
    pub(super) fn change(mut self, change: TimerChange) -> Self {
        let deferred = self.0.deferred.get_or_insert_default();
        deferred.timers.push(change);
        self
    }

    /// Answers a stored call.
    pub(super) fn settles(mut self, call: Settled) -> Self {
        self.0.deferred.get_or_insert_default().settles = Some(call);
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

/// A call of this entity; every part of it differs by `index`.
pub(super) fn call(target: &PersistenceId, index: u8) -> StoredCall {
    StoredCall {
        target: target.clone(),
        command: format!("command {index}").into(),
        codec: index.wrapping_add(1),
        arguments: format!("arguments {index} for {target}").into_bytes(),
        metadata: if index.is_multiple_of(2) {
            Vec::new()
        } else {
            vec![index]
        },
        hops: u16::from(index) + 2,
    }
}

/// A timer due at this time, in milliseconds.
pub(super) fn timer(name: &str, due: i64) -> NewTimer {
    NewTimer {
        name: name.to_owned(),
        due: Timestamp::from_millis(due),
        schedule: format!("schedule of {name}").into_bytes(),
        call: call(&cart(name), 3),
    }
}

/// The entity `id` of the type that most clauses use.
pub(super) fn cart(id: &str) -> PersistenceId {
    PersistenceId::new("cart", id)
}
