//! Counters of what the whole runtime holds, with their limits.

use std::sync::Arc;

use crate::call_error::{Failure, Overload};
use crate::limits::Limits;
use crate::sync::atomic::{AtomicUsize, Ordering};

/// What the shards of one runtime share of its limits.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    waiting: AtomicUsize,
    waiting_bytes: AtomicUsize,
    residents: AtomicUsize,
    outbox: AtomicUsize,
    outbox_bytes: AtomicUsize,
    forwards: AtomicUsize,
}

/// A place among the waiting calls, given back on drop.
#[derive(Debug)]
pub(crate) struct Permit {
    budget: Arc<Budget>,
    bytes: usize,
}

/// Bytes that wait for a commit, given back on drop.
#[derive(Debug)]
pub(crate) struct Held {
    budget: Arc<Budget>,
    bytes: usize,
}

/// Room for one entity in memory, given back on drop unless an entity moves in.
#[derive(Debug)]
#[must_use]
pub(super) struct Room(Option<Arc<Budget>>);

/// Places in the outbox, given back on drop.
#[derive(Debug)]
pub(crate) struct Seat {
    budget: Arc<Budget>,
    count: usize,
    bytes: usize,
}

/// A forward that is not answered yet: counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Underway(Arc<Budget>);

/// A write of up to this many bytes counts as a waiting call only: as many as there may be of
/// those stay within the limit of bytes.
const SMALL: usize = 1024;

impl Budget {
    /// A place for a call that waits with `bytes` of arguments.
    pub(super) fn admit(
        self: &Arc<Self>,
        bytes: usize,
        limits: &Limits,
    ) -> Result<Permit, Failure> {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        let mut permit = Permit {
            budget: Arc::clone(self),
            bytes: 0,
        };
        if waiting >= limits.waiting_max {
            return Err(Failure::Overloaded(Overload::Waiting));
        }
        let held = if bytes == 0 {
            self.waiting_bytes.load(Ordering::Relaxed)
        } else {
            permit.bytes = bytes;
            self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed)
        };
        if held.saturating_add(bytes.max(1)) > limits.waiting_bytes_max {
            return Err(Failure::Overloaded(Overload::WaitingBytes));
        }
        Ok(permit)
    }

    /// Counts what a command that was let in has written, until its commit. A small write is not
    /// worth the trouble.
    pub(super) fn hold(self: &Arc<Self>, bytes: usize) -> Option<Held> {
        if bytes <= SMALL {
            return None;
        }
        self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        Some(Held {
            budget: Arc::clone(self),
            bytes,
        })
    }

    /// Places in the outbox for so many effects, if there are that many.
    pub(super) fn seat(
        self: &Arc<Self>,
        count: usize,
        bytes: usize,
        limits: &Limits,
    ) -> Result<Seat, Failure> {
        let seat = self.take_seat(count, bytes);
        let taken = self.outbox.load(Ordering::Relaxed);
        let taken_bytes = self.outbox_bytes.load(Ordering::Relaxed);
        if taken > limits.outbox_max || taken_bytes > limits.outbox_bytes_max {
            return Err(Failure::Overloaded(Overload::Outbox));
        }
        Ok(seat)
    }

    /// Places in the outbox for effects that are there already.
    pub(super) fn take_seat(self: &Arc<Self>, count: usize, bytes: usize) -> Seat {
        self.outbox.fetch_add(count, Ordering::Relaxed);
        self.outbox_bytes.fetch_add(bytes, Ordering::Relaxed);
        Seat {
            budget: Arc::clone(self),
            count,
            bytes,
        }
    }

    /// Effects on their way, those whose commit is under way included.
    pub(crate) fn outbox(&self) -> usize {
        self.outbox.load(Ordering::Acquire)
    }

    /// One more forward under way.
    pub(super) fn forward(self: &Arc<Self>) -> Underway {
        self.forwards.fetch_add(1, Ordering::AcqRel);
        Underway(Arc::clone(self))
    }

    /// Forwards that are not answered yet.
    pub(super) fn forwards(&self) -> usize {
        self.forwards.load(Ordering::Acquire)
    }

    /// Calls accepted and not yet answered.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Entities in memory.
    pub(crate) fn residents(&self) -> usize {
        self.residents.load(Ordering::Relaxed)
    }

    /// Room for one more entity in memory, if there is some.
    pub(super) fn room(self: &Arc<Self>, limits: &Limits) -> Option<Room> {
        let before = self.residents.fetch_add(1, Ordering::Relaxed);
        if before >= limits.residents_max {
            self.residents.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Room(Some(Arc::clone(self))))
    }

    /// The room of an entity that has left memory.
    pub(super) fn left(self: &Arc<Self>) -> Room {
        Room(Some(Arc::clone(self)))
    }
}

impl Room {
    /// An entity takes it, until it has [`left`](Budget::left).
    pub(super) fn move_in(mut self) {
        self.0 = None;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if planted!(RoomNotGivenBack) {
            return;
        }
        if let Some(budget) = &self.0 {
            budget.residents.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if planted!(PlaceNotGivenBack) {
            return;
        }
        self.budget.waiting.fetch_sub(1, Ordering::Relaxed);
        if self.bytes > 0 {
            self.budget
                .waiting_bytes
                .fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

impl Seat {
    /// The same places, one by one.
    pub(super) fn split(mut self) -> Vec<Self> {
        let count = std::mem::take(&mut self.count);
        let bytes = std::mem::take(&mut self.bytes);
        let share = bytes / count.max(1);
        (0..count)
            .map(|index| Self {
                budget: Arc::clone(&self.budget),
                count: 1,
                bytes: if index == 0 {
                    bytes - share * count.saturating_sub(1)
                } else {
                    share
                },
            })
            .collect()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.budget.outbox.fetch_sub(self.count, Ordering::Release);
        self.budget
            .outbox_bytes
            .fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.forwards.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget
            .waiting_bytes
            .fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
