//! A command's writes: events, state, snapshot, record and calls become one member of a batch.

use statefn_store::{
    Member, NewRecord, NewSnapshot, SequenceNumber, Settled, StateChange, Timestamp,
};

use super::{Behind, Ending, Keyed, Step, Turn, Write, behind_gate};
use crate::call_error::{CallError, Failure};
use crate::command::Operation;
use crate::entity::Behavior;
use crate::forward::Destination;
use crate::runtime::activation::Activation;
use crate::runtime::deadline::Deadline;
use crate::runtime::decision::Written;
use crate::runtime::forwarding::{Forwarding, Route, derived_key};
use crate::runtime::isolate::isolate;
use crate::runtime::outcome;
use crate::runtime::outcome::Answer;
use crate::runtime::sending::Sending;

/// A command's writes while they come together.
pub(super) struct Draft {
    pub(super) now: Timestamp,
    /// As stored.
    pub(super) metadata: Vec<u8>,
    pub(super) written: Written,
    pub(super) snapshot: Option<NewSnapshot>,
    pub(super) keyed: Option<Keyed>,
    pub(super) sending: Option<Sending>,
}

impl Draft {
    /// Puts the member together and moves the activation on.
    pub(super) fn finish<O: Operation>(
        self,
        ending: Ending<O>,
        activation: &mut Activation,
        turn: &Turn<'_>,
    ) -> Step<O> {
        let changed = !self.written.is_nothing();
        if !changed && self.keyed.is_none() && self.sending.is_none() {
            return behind_gate(ending, activation);
        }
        match self.member::<O>(&ending, activation, turn) {
            Ok(write) => {
                activation.sequence = write.member.last_sequence();
                if planted!(SequenceOffByOne) {
                    activation.sequence = activation.sequence.next();
                }
                ending.behind(Behind::Own(Box::new(write)))
            }
            // The change is applied, so the state has gone where the journal will not.
            Err(failure) if changed => Step::Lost(failure),
            Err(failure) => behind_gate(Ending::failed(failure), activation),
        }
    }

    /// The forward for which the command asked: made once this has committed.
    pub(super) fn forward(
        &self,
        destination: Destination,
        sequence: SequenceNumber,
        deadline: Deadline,
        turn: &Turn<'_>,
    ) -> Result<Forwarding, Failure> {
        let Destination {
            call,
            key,
            deadline: own,
            chain,
            ..
        } = destination;
        let derive = |keyed: &Keyed| derived_key(chain.id(), &keyed.key, sequence, self.now);
        let keyed = self.keyed.as_ref().filter(|_| !planted!(ForwardUnnamed));
        let sends = |sending: &Sending| sending.deferred.sends();
        let route = Route {
            call: call?,
            key: key.or_else(|| keyed.map(derive)),
            command: chain.command(),
            wrote: !self.written.is_nothing() || self.sending.as_ref().is_some_and(sends),
        };
        let until = turn.until(deadline);
        let own = own.map(|own| turn.env.now().saturating_add(own));
        let until = own.map_or(until, |own| own.min(until));
        Ok(turn.forwarding(route, chain, until))
    }

    fn member<O: Operation>(
        self,
        ending: &Ending<O>,
        activation: &mut Activation,
        turn: &Turn<'_>,
    ) -> Result<Write, Failure> {
        let mut member = Member::new(activation.id.clone(), activation.sequence, self.now);
        member.metadata = self.metadata;
        member.events = self.written.events;
        member.state = self.written.state;
        if planted!(DeletionNotStored)
            && matches!(member.state.as_deref(), Some(StateChange::Delete))
        {
            member.state = None;
        }
        member.snapshot = self.snapshot;
        if let Some(keyed) = &self.keyed {
            member.record = Some(NewRecord {
                key: keyed.key.to_string(),
                fingerprint: keyed.fingerprint,
                outcome: recorded(ending, turn)?,
            });
        }
        if planted!(SnapshotAheadOfJournal) && member.snapshot.is_some() {
            member.events.pop();
        }
        if planted!(KeyNotStored) && !member.events.is_empty() {
            member.record = None;
        }
        if let (Ending::Answer(answer), Some(sending)) = (ending, &self.sending)
            && let Err(CallError::Rejected(_)) = answer
            && let (None, Some(call)) = (&member.record, &sending.deferred.settles)
        {
            member.record = rejection::<O>(answer, call, turn);
        }
        let posted = match self.sending {
            Some(sending) => {
                member.deferred = Some(sending.deferred);
                sending.posted
            }
            None => None,
        };
        let bytes = member_bytes(&member);
        let limit = turn
            .limits
            .batch_bytes_max
            .saturating_add(turn.limits.snapshot_bytes_max);
        if bytes > limit {
            return Err(Failure::TooLarge {
                what: "what one command writes",
                bytes,
                limit,
            });
        }
        if let (Some(record), Some(_)) = (&member.record, &self.keyed) {
            let keys = activation.keys.get_or_insert_default();
            keys.make_room(turn.cutoff(), turn.limits.keys_max);
            let outcome = record.outcome.as_slice().into();
            keys.speculate(&record.key, record.fingerprint, self.now, outcome);
        }
        let key = self.keyed.map(|keyed| keyed.key);
        Ok(Write {
            member,
            bytes,
            key,
            posted,
        })
    }
}

/// What a record keeps of a command's answer.
fn recorded<O: Operation>(ending: &Ending<O>, turn: &Turn<'_>) -> Result<Vec<u8>, Failure> {
    match ending {
        Ending::Answer(answer) => {
            outcome::encode::<O>(answer, turn.hosted.options.codec, turn.limits)
        }
        Ending::Forward(forwarding) => outcome::encode_route(&forwarding.route),
    }
}

/// What the journal says of a stored call that was rejected: nobody waits for the answer.
fn rejection<O: Operation>(
    answer: &Answer<O>,
    call: &Settled,
    turn: &Turn<'_>,
) -> Option<NewRecord> {
    let key = match call {
        Settled::Effect(number) => format!("effect {number}"),
        Settled::Timer { number, due, .. } => format!("timer {number} at {}", due.as_millis()),
    };
    let outcome = outcome::encode::<O>(answer, turn.hosted.options.codec, turn.limits);
    Some(NewRecord {
        key,
        fingerprint: 0,
        outcome: outcome.ok()?,
    })
}

/// The snapshot that is due when the events after `before` include a multiple of the cadence, and
/// nothing was deleted.
pub(super) fn due_snapshot<E: Behavior>(
    entity: &E,
    before: SequenceNumber,
    written: &Written,
    turn: &Turn<'_>,
) -> Option<NewSnapshot> {
    let every = turn.hosted.options.snapshot_every;
    let before = before.get();
    let after = before.saturating_add(written.events.len() as u64);
    if every == 0 || after / every == before / every || written.state.is_some() {
        return None;
    }
    let codec = turn.hosted.options.codec;
    let mut payload = Vec::new();
    // What the encoder says may quote the state, so it stays out of the log.
    let encoded = isolate(|| codec.encode(entity, &mut payload));
    if !matches!(encoded, Ok(Ok(()))) {
        tracing::error!(
            entity = E::TYPE,
            "a snapshot is left out: it cannot be encoded"
        );
        return None;
    }
    if payload.len() > turn.limits.snapshot_bytes_max {
        let bytes = payload.len();
        tracing::error!(
            entity = E::TYPE,
            bytes,
            "a snapshot is left out: it is too large"
        );
        return None;
    }
    Some(NewSnapshot {
        shape: turn.hosted.shape,
        codec: codec.id(),
        payload,
    })
}

fn member_bytes(member: &Member) -> usize {
    let events: usize = member
        .events
        .iter()
        .map(|event| event.payload.len() + 32)
        .sum();
    let snapshot = member
        .snapshot
        .as_ref()
        .map_or(0, |snapshot| snapshot.payload.len());
    let state = match member.state.as_deref() {
        Some(StateChange::Put(state)) => state.payload.len() + 32,
        Some(StateChange::Delete) => 32,
        None => 0,
    };
    let record = member
        .record
        .as_ref()
        .map_or(0, |record| record.outcome.len() + record.key.len());
    let deferred = member
        .deferred
        .as_ref()
        .map_or(0, |deferred| deferred.bytes());
    64 + member.metadata.len() + events + state + snapshot + record + deferred
}
