//! What may happen, at random.

use proptest::prelude::*;
use statefn_store::testing::CommitFault;

use super::ledger::Action;

/// How many entities there are.
pub(crate) const ENTITIES: usize = 3;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// One command, answered before the next step.
    Call(Sent, CommitFault),
    /// Commands that are under way together, with a fault for each of the first commits.
    Burst {
        calls: Vec<Sent>,
        faults: Vec<CommitFault>,
        then: Then,
    },
    /// The process dies; perhaps the next load fails.
    Crash { load_fails: bool },
    /// The process ends, in order or not, and another one opens the store.
    Restart { in_order: bool },
    /// Everybody leaves memory.
    Idle,
    /// A crash after which no snapshot is to be had.
    LoseSnapshots,
}

/// How a burst ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Then {
    Finish,
    /// A crash while the first commit is on its way to the store.
    CrashBefore,
    /// A crash when the first commit is applied and has not been heard of.
    CrashAfter,
}

#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) entity: usize,
    pub(crate) action: Action,
    pub(crate) key: Keyed,
}

/// Which key a command carries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keyed {
    No,
    /// One that nobody has used.
    Fresh,
    /// The key of an earlier command, which is sent once more as it was.
    Again(prop::sample::Index),
    /// The key of an earlier command, for another one.
    Reused(prop::sample::Index),
}

fn action() -> impl Strategy<Value = Action> {
    let slot = 0..3_u8;
    let amount = -9..9_i64;
    prop_oneof![
        8 => (slot.clone(), amount.clone()).prop_map(|(slot, amount)| Action::Put { slot, amount }),
        4 => prop::collection::vec((slot, amount), 0..6).prop_map(Action::PutMany),
        1 => Just(Action::Nothing),
        1 => prop_oneof![Just(Action::Panic), Just(Action::Curse), Just(Action::PanicReply)],
    ]
}

fn key() -> impl Strategy<Value = Keyed> {
    prop_oneof![
        5 => Just(Keyed::No),
        3 => Just(Keyed::Fresh),
        2 => any::<prop::sample::Index>().prop_map(Keyed::Again),
        1 => any::<prop::sample::Index>().prop_map(Keyed::Reused),
    ]
}

fn sent() -> impl Strategy<Value = Sent> {
    (0..ENTITIES, action(), key()).prop_map(|(entity, action, key)| Sent {
        entity,
        action,
        key,
    })
}

fn fault() -> impl Strategy<Value = CommitFault> {
    prop_oneof![
        10 => Just(CommitFault::Pass),
        1 => Just(CommitFault::Unavailable),
        1 => Just(CommitFault::UnknownApplied),
        1 => Just(CommitFault::UnknownNotApplied),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let then = prop_oneof![
        3 => Just(Then::Finish),
        1 => Just(Then::CrashBefore),
        1 => Just(Then::CrashAfter),
    ];
    let burst = (
        prop::collection::vec(sent(), 2..10),
        prop::collection::vec(fault(), 0..3),
        then,
    );
    prop_oneof![
        12 => (sent(), fault()).prop_map(|(sent, fault)| Step::Call(sent, fault)),
        4 => burst.prop_map(|(calls, faults, then)| Step::Burst { calls, faults, then }),
        2 => any::<bool>().prop_map(|load_fails| Step::Crash { load_fails }),
        1 => any::<bool>().prop_map(|in_order| Step::Restart { in_order }),
        1 => Just(Step::Idle),
        1 => Just(Step::LoseSnapshots),
    ]
}

pub(crate) fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..most)
}
