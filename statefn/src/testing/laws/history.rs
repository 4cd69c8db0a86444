//! Random histories of a few replicas, and the states that they come to.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::strategy::Strategy;

use crate::crdt::{Crdt, ReplicaId, Writer};

/// A step is over soon, and so is a law on 10,000 histories.
const STEPS_MAX: usize = 12;

/// What happened between replicas.
#[derive(Clone, Debug)]
pub(super) struct History<O> {
    replicas: usize,
    steps: Vec<Step<O>>,
    /// For whatever a law has to choose.
    pub(super) choices: [u8; 8],
}

/// One step; numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Step<O> {
    /// A replica changes its value; its delta is taken now or with a later change.
    Change {
        at: usize,
        time: u8,
        is_sent: bool,
        operation: O,
    },
    /// A delta of any time arrives somewhere.
    Deliver { delta: usize, to: usize },
    /// A whole state is handed over.
    HandOver { from: usize, to: usize },
}

pub(super) fn histories<S>(operations: S) -> impl Strategy<Value = History<S::Value>>
where
    S: Strategy,
    S::Value: Clone + fmt::Debug,
{
    let step = (any::<[u8; 3]>(), operations).prop_map(|([kind, one, two], operation)| {
        let (first, second) = (usize::from(one), usize::from(two));
        match kind % 10 {
            0..6 => Step::Change {
                at: first,
                time: two,
                is_sent: kind >= 64,
                operation,
            },
            6..9 => Step::Deliver {
                delta: first,
                to: second,
            },
            _ => Step::HandOver {
                from: first,
                to: second,
            },
        }
    });
    let parts = (2_usize..=5, vec(step, 0..=STEPS_MAX), any::<[u8; 8]>());
    parts.prop_map(|(replicas, steps, choices)| History {
        replicas,
        steps,
        choices,
    })
}

/// The states and deltas that a history came to.
pub(super) struct World<C> {
    pub(super) replicas: Vec<C>,
    /// Every delta that was taken.
    pub(super) deltas: Vec<C>,
    /// Before and after each change, and what that change added to the delta.
    pub(super) changes: Vec<Change<C>>,
}

#[derive(Debug)]
pub(super) struct Change<C> {
    pub(super) before: C,
    pub(super) after: C,
    pub(super) delta: Option<C>,
}

impl<O: Clone> History<O> {
    pub(super) fn run<C: Crdt>(&self, change: &impl Fn(&mut C, &mut Writer, O)) -> World<C> {
        let mut world = World {
            replicas: vec![C::default(); self.replicas],
            deltas: Vec::new(),
            changes: Vec::new(),
        };
        for step in &self.steps {
            world.take(step, change);
        }
        for replica in &mut world.replicas {
            world.deltas.extend(replica.take_delta());
        }
        world
    }

    /// An operation of the history, if it has any.
    pub(super) fn operation(&self) -> Option<&O> {
        self.steps.iter().find_map(|step| match step {
            Step::Change { operation, .. } => Some(operation),
            _ => None,
        })
    }
}

/// The writer of a replica, at a time that also goes back.
pub(super) fn writer(at: usize, time: u8) -> Writer {
    let id = u64::try_from(at).unwrap_or_default() + 1;
    Writer::new(ReplicaId::new(id), 1_764_000_000_000 + u64::from(time))
}

impl<C: Crdt> World<C> {
    fn take<O: Clone>(&mut self, step: &Step<O>, change: &impl Fn(&mut C, &mut Writer, O)) {
        let count = self.replicas.len();
        match step {
            Step::Change {
                at,
                time,
                is_sent,
                operation,
            } => {
                let at = at % count;
                let Some(replica) = self.replicas.get_mut(at) else {
                    return;
                };
                // What one change adds, apart from what was not taken yet.
                let mut alone = replica.clone();
                alone.take_delta();
                let before = alone.clone();
                change(&mut alone, &mut writer(at, *time), operation.clone());
                change(replica, &mut writer(at, *time), operation.clone());
                let delta = alone.take_delta();
                if *is_sent {
                    self.deltas.extend(replica.take_delta());
                }
                self.changes.push(Change {
                    before,
                    after: alone,
                    delta,
                });
            }
            Step::Deliver { delta, to } => {
                let which = delta.checked_rem(self.deltas.len());
                let delta = which.and_then(|which| self.deltas.get(which));
                if let (Some(delta), Some(replica)) = (delta, self.replicas.get_mut(to % count)) {
                    replica.merge(delta);
                }
            }
            Step::HandOver { from, to } => {
                let state = self.replicas.get(from % count).cloned();
                if let (Some(state), Some(replica)) = (state, self.replicas.get_mut(to % count)) {
                    replica.merge(&state);
                }
            }
        }
    }

    /// A state or a delta.
    pub(super) fn pick(&self, choice: u8) -> C {
        let all = self.replicas.len() + self.deltas.len();
        let index = usize::from(choice).checked_rem(all).unwrap_or_default();
        let found = self.replicas.iter().chain(&self.deltas).nth(index);
        found.cloned().unwrap_or_default()
    }
}
