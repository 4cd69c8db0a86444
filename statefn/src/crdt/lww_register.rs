//! A register that keeps one of the values written to it.

use serde::{Deserialize, Serialize};

use super::{Clock, Crdt, ReplicaId, Writer};

/// Holds one value: of all writes the one with the largest clock, then with the largest replica id.
///
/// After Shapiro et al. (INRIA RR-7506, 2011), specification 8; the default clock after Kulkarni et
/// al. (2014), see [`Clock`].
///
/// Empty until the first write. A write counts even if it writes the same value: it is newer. The
/// time of a remote write is taken as it is, so a replica whose clock is far ahead wins until the
/// others' clocks get there or they have seen its write.
///
/// ```
/// use statefn::crdt::{Clock, Crdt, LwwRegister, ReplicaId, Writer};
///
/// let mut here = LwwRegister::default();
/// let mut there = LwwRegister::default();
/// here.set(&mut Writer::new(ReplicaId::new(1), 1_000), "early");
/// there.set(&mut Writer::new(ReplicaId::new(2), 1_001), "late");
/// here.merge(&there);
/// assert_eq!(here.get(), Some(&"late"));
///
/// // A clock that went back: the writer has seen the value, so it is above it all the same.
/// assert!(here.set(&mut Writer::new(ReplicaId::new(1), 5), "later"));
/// there.merge(&here);
/// assert_eq!(there.get(), Some(&"later"));
///
/// assert!(!here.set_by(&mut Writer::new(ReplicaId::new(1), 9), Clock::Custom(3), "below"));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LwwRegister<T> {
    written: Option<Written<T>>,
    #[serde(skip)]
    is_changed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Written<T> {
    clock: i64,
    replica: ReplicaId,
    value: T,
}

impl<T> Written<T> {
    fn stamp(&self) -> (i64, ReplicaId) {
        (self.clock, self.replica)
    }
}

impl<T> LwwRegister<T> {
    /// The value; `None` before the first write.
    pub fn get(&self) -> Option<&T> {
        self.written.as_ref().map(|written| &written.value)
    }

    /// Writes a value by the clock [`Clock::LastWins`]. Answers whether it is the value now, which
    /// it is unless the register shows the end of all clocks.
    pub fn set(&mut self, writer: &mut Writer, value: T) -> bool {
        self.set_by(writer, Clock::LastWins, value)
    }

    /// Writes a value by a clock. Answers whether it is the value now; if not, nothing changed.
    pub fn set_by(&mut self, writer: &mut Writer, clock: Clock, value: T) -> bool {
        let shown = self.written.as_ref().map(|written| written.clock);
        let written = Written {
            clock: clock.number(writer.now(), shown),
            replica: writer.replica(),
            value,
        };
        let is_newer = self.is_below(&written);
        if is_newer {
            self.written = Some(written);
            self.is_changed = true;
        }
        is_newer
    }

    /// The number and the replica of the write that is shown.
    pub(super) fn stamp(&self) -> Option<(i64, ReplicaId)> {
        self.written.as_ref().map(Written::stamp)
    }

    fn is_below(&self, other: &Written<T>) -> bool {
        self.stamp() < Some(other.stamp())
    }
}

impl<T> Default for LwwRegister<T> {
    fn default() -> Self {
        Self {
            written: None,
            is_changed: false,
        }
    }
}

impl<T: PartialEq> PartialEq for LwwRegister<T> {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl<T: Eq> Eq for LwwRegister<T> {}

impl<T: Clone> Crdt for LwwRegister<T> {
    fn merge(&mut self, other: &Self) {
        if let Some(theirs) = &other.written
            && self.is_below(theirs)
        {
            self.written = Some(theirs.clone());
        }
    }

    fn take_delta(&mut self) -> Option<Self> {
        let is_changed = std::mem::take(&mut self.is_changed);
        is_changed.then(|| self.clone())
    }
}
