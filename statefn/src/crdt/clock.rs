//! The clocks of registers.

/// By which clock a write to a [`LwwRegister`](super::LwwRegister) is ordered. The larger number
/// wins, whatever clock it is from, so the writes of one register should agree on one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clock {
    /// The last write wins. A hybrid logical clock after Kulkarni et al., "Logical physical
    /// clocks" (OPODIS 2014): milliseconds in the upper 48 bits and a count in the lower 16, never
    /// at or below what the register shows. So a write wins over every write that it could see,
    /// however wrong the wall clocks are, and concurrent writes are ordered by wall clock.
    #[default]
    LastWins,
    /// The first write wins: the wall clock, negated. A write to a register that has a value is
    /// refused, unless it is earlier.
    FirstWins,
    /// This number. Refused if it is not above what the register shows (at the same number, if
    /// this replica's id is not above).
    Custom(i64),
    /// This number, or one more than what the register shows if that is larger.
    CustomAutoIncrement(i64),
}

/// Bits of the count within a millisecond.
const COUNT_BITS: u32 = 16;

/// The largest time in milliseconds that leaves room for the count: the year 6429.
const MILLISECONDS_MAX: u64 = (1 << (63 - COUNT_BITS)) - 1;

impl Clock {
    /// The number for a write at `now`, in milliseconds since 1970, where `shown` is what the
    /// register has.
    pub(super) fn number(self, now: u64, shown: Option<i64>) -> i64 {
        let milliseconds = now.min(MILLISECONDS_MAX).cast_signed();
        let wall = milliseconds << COUNT_BITS;
        let above = |least: i64| shown.map_or(least, |shown| least.max(shown.saturating_add(1)));
        match self {
            Self::LastWins => above(wall),
            Self::FirstWins => -wall,
            Self::Custom(number) => number,
            Self::CustomAutoIncrement(number) => above(number),
        }
    }
}
