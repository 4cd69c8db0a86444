//! Drawn from an input: names, members, pages.

use statefn_store::{
    Member, NewEvent, NewRecord, NewSnapshot, NewState, Offset, PersistenceId, SequenceNumber,
    Skip, StateChange, Timestamp,
};

use super::calls;
use crate::input::Input;
use crate::model::Model;
use crate::tape::Wish;

const MEMBERS_MAX: u8 = 6;

const EVENTS_MAX: u8 = 4;

/// A payload that takes more than one page of the database.
const LARGE: usize = 5_000;

/// The few names that a sequence uses, so that it comes back to them.
pub(super) struct Names {
    texts: Vec<String>,
}

impl Names {
    pub(super) fn draw(input: &mut Input<'_>) -> Self {
        let mut texts: Vec<String> = ["cart", "user", "k"].map(str::to_owned).into();
        for _ in 0..input.below(4) {
            // A name has at least one byte.
            texts.push(format!("{}.", input.text(40)));
        }
        Self { texts }
    }

    fn text(&self, input: &mut Input<'_>) -> String {
        self.texts[usize::from(input.byte()) % self.texts.len()].clone()
    }

    pub(super) fn id(&self, input: &mut Input<'_>) -> PersistenceId {
        let entity_type = self.text(input);
        PersistenceId::new(entity_type, self.text(input))
    }

    pub(super) fn key(&self, input: &mut Input<'_>) -> String {
        self.text(input)
    }
}

/// The members of a batch; some of them stale.
pub(super) fn members(input: &mut Input<'_>, names: &Names, model: &Model) -> Vec<Member> {
    let mut after = model.clone();
    let mut members = Vec::new();
    for _ in 0..input.below(MEMBERS_MAX) {
        let id = names.id(input);
        let actual = after.head(&id).sequence;
        let expected = match input.below(12) {
            10 => SequenceNumber::new(actual.get().saturating_sub(1)),
            11 => SequenceNumber::new(input.number()),
            _ => actual,
        };
        let mut member = member(input, names, id, expected);
        // Without its deletion, an entity whose past was erased does not load from a file.
        member
            .skip
            .take_if(|skip| after.deletes(&member.id, skip.sequence));
        if input.once_in(3) {
            member.deferred = Some(Box::new(calls::deferred(input, names, &after)));
        }
        after.commit(std::slice::from_ref(&member));
        members.push(member);
    }
    members
}

fn member(
    input: &mut Input<'_>,
    names: &Names,
    id: PersistenceId,
    expected: SequenceNumber,
) -> Member {
    let time = if input.once_in(4) {
        input.number().cast_signed()
    } else {
        i64::from(input.byte())
    };
    let mut member = Member::new(id, expected, Timestamp::from_millis(time));
    member.metadata = input.bytes(20);
    for _ in 0..input.below(EVENTS_MAX) {
        member.events.push(event(input, names));
    }
    member.state = match input.below(8) {
        6 => Some(Box::new(StateChange::Put(state(input)))),
        7 => Some(Box::new(StateChange::Delete)),
        _ => None,
    };
    if input.once_in(3) {
        member.record = Some(NewRecord {
            key: names.key(input),
            fingerprint: u128::from(input.number()) << input.below(64),
            outcome: input.bytes(20),
        });
    }
    if input.once_in(5) && expected != SequenceNumber::ZERO {
        member.skip = Some(Skip {
            sequence: SequenceNumber::new(1 + u64::from(input.byte()) % expected.get()),
            reason: input.text(20),
        });
    }
    // A snapshot comes with an event, and without a state.
    if input.once_in(3) && !member.events.is_empty() && member.state.is_none() {
        member.snapshot = Some(NewSnapshot {
            shape: u128::from(input.number()),
            codec: input.byte(),
            payload: payload(input),
        });
    }
    member
}

fn event(input: &mut Input<'_>, names: &Names) -> NewEvent {
    let version = if input.once_in(8) {
        u32::MAX
    } else {
        u32::from(input.byte())
    };
    NewEvent {
        name: names.text(input).into(),
        version,
        codec: input.byte(),
        payload: payload(input),
    }
}

fn state(input: &mut Input<'_>) -> NewState {
    NewState {
        shape: u128::from(input.number()) << input.below(65),
        version: u32::from(input.byte()),
        codec: input.byte(),
        payload: payload(input),
    }
}

fn payload(input: &mut Input<'_>) -> Vec<u8> {
    if input.once_in(12) {
        vec![input.byte(); LARGE]
    } else {
        input.bytes(60)
    }
}

pub(super) fn wish(input: &mut Input<'_>) -> Wish {
    let mut max = || match input.below(6) {
        0 | 1 => usize::MAX,
        other => usize::from(other) - 1,
    };
    Wish {
        records_max: max(),
        events_max: max(),
        accepts_snapshot: input.once_in(2),
    }
}

/// A page that begins somewhere in the journal, or far behind it.
pub(super) fn page(input: &mut Input<'_>, end: u64) -> (Offset, usize) {
    let from = if input.once_in(8) {
        input.number()
    } else {
        u64::from(input.byte()) % (end + 2)
    };
    let limit = if input.once_in(4) {
        usize::MAX
    } else {
        usize::from(input.below(9))
    };
    (Offset::new(from), limit)
}
