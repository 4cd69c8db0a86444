//! What a committed command has sent, under its numbers.

use std::sync::Arc;

use statefn_store::{Offset, OutboxNumber, PersistenceId, Settled};

use super::{Group, Post};
use crate::runtime::budget::Seat;
use crate::runtime::sending::Posted;
use crate::runtime::slot::Waiter;
use crate::sync::Mutex;

/// What a committed command has sent, under its numbers.
pub(in crate::runtime) struct Addressed {
    pub(in crate::runtime) posts: Vec<Post>,
    /// Whether timers were set.
    pub(in crate::runtime) sets_timers: bool,
    /// The replies that wait for answers.
    pub(in crate::runtime) group: Option<Arc<Group>>,
}

impl Addressed {
    /// Gives the calls the numbers under which the store has them.
    pub(in crate::runtime) fn new(
        posted: Posted,
        sender: &PersistenceId,
        position: Offset,
        waiters: Vec<Arc<dyn Waiter>>,
    ) -> Self {
        let group = (!waiters.is_empty()).then(|| Group::new(posted.awaited.len(), waiters));
        let mut seats = posted.seat.map(Seat::split).unwrap_or_default().into_iter();
        let numbers = (0..).map(|index| OutboxNumber::of(position, index));
        let calls = posted.effects.into_iter().zip(numbers).enumerate();
        let posts = calls.map(|(place, (call, number))| {
            let is_awaited = posted.awaited.contains(&place);
            let awaited = group.as_ref().filter(|_| is_awaited).map(Group::one);
            Post {
                sender: sender.clone(),
                call,
                settles: Settled::Effect(number),
                awaited: Mutex::new(awaited),
                _seat: seats.next(),
            }
        });
        Self {
            posts: posts.collect(),
            sets_timers: posted.sets_timers,
            group,
        }
    }
}
