//! Random numbers that repeat.

use std::ops::RangeInclusive;

/// Random numbers from a seed: the same seed gives the same numbers, on every machine and for ever
/// (`SplitMix64`; Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA
/// 2014). For tests that repeat, not for secrets.
///
/// ```
/// use statefn_store::testing::Dice;
///
/// let (mut one, mut same) = (Dice::new(7), Dice::new(7));
/// assert_eq!(one.below(1_000), same.below(1_000));
/// assert!((1..=6).contains(&one.between(1..=6)));
/// ```
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The numbers that belong to `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `sides`; zero when there are none.
    pub fn below(&mut self, sides: u64) -> u64 {
        self.number().checked_rem(sides).unwrap_or(0)
    }

    /// A number of the range, its ends included; the start of an empty one.
    pub fn between(&mut self, range: RangeInclusive<u64>) -> u64 {
        let sides = range.end().saturating_sub(*range.start());
        range.start() + self.below(sides.saturating_add(1))
    }

    /// An index into something of this length; zero when it is empty.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// True in `of_thousand` of 1,000 cases.
    pub fn chance(&mut self, of_thousand: u32) -> bool {
        self.below(1000) < u64::from(of_thousand)
    }

    /// Other dice, whose numbers have nothing to do with the ones that follow here.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self(self.number())
    }
}
