//! Who writes, and when.

use super::causal::{CausalContext, Claim, Dot};
use super::replica::ReplicaId;

/// Who makes a change and at what time: what every change takes.
///
/// It holds nothing that has to be kept: a new one for each command is as good.
///
/// ```
/// use statefn::crdt::{GCounter, ReplicaId, Writer};
///
/// let mut writer = Writer::new(ReplicaId::new(7), 1_764_000_000_000);
/// let mut likes = GCounter::default();
/// likes.increment(&mut writer, 2);
/// assert_eq!(likes.value(), 2);
/// ```
#[derive(Debug)]
pub struct Writer {
    replica: ReplicaId,
    now: u64,
    /// No dot below this one is given out.
    floor: u64,
    /// The largest dot that was given out.
    last: u64,
    is_exhausted: bool,
}

impl Writer {
    /// The replica `replica` at `now`, in milliseconds since 1970 by its wall clock. Only registers
    /// look at the time.
    pub const fn new(replica: ReplicaId, now: u64) -> Self {
        Self {
            replica,
            now,
            floor: 1,
            last: 0,
            is_exhausted: false,
        }
    }

    /// The replica.
    pub const fn replica(&self) -> ReplicaId {
        self.replica
    }

    /// Its time, in milliseconds since 1970.
    pub const fn now(&self) -> u64 {
        self.now
    }

    /// Whether a change was left out because this replica has no number left to name it with. It
    /// counts to 2^64 - 2; only forged bytes get there.
    pub const fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    /// A writer for a value inside another one, whose dots begin at `floor`.
    pub(super) fn inside(&self, floor: u64) -> Self {
        Self {
            floor,
            ..Self::new(self.replica, self.now)
        }
    }

    /// The first number that `claim` would take.
    pub(super) fn first(&self, context: &CausalContext) -> u64 {
        context.next(self.replica).max(self.floor)
    }

    /// Numbers that nobody has had in `context`: all from `first` to the dot, which is above what
    /// the writer `inside` gave out.
    pub(super) fn claim(
        &mut self,
        context: &CausalContext,
        inside: Option<&Self>,
    ) -> Option<Claim> {
        let first = self.first(context);
        let number = inside.map_or(first, |inside| first.max(inside.last.saturating_add(1)));
        // The largest number is never given out, so that there always is a next one.
        if number == u64::MAX || inside.is_some_and(|inside| inside.is_exhausted) {
            self.is_exhausted = true;
            return None;
        }
        self.last = self.last.max(number);
        let replica = self.replica;
        Some(Claim {
            first,
            dot: Dot { replica, number },
        })
    }
}
