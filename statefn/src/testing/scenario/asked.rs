//! What a query answered, to be compared.

use std::fmt;

use crate::testing::scenario::answer::Value;
use crate::testing::scenario::{Scenario, Testable, checks, or_panic};

/// A scenario after a query: compare the reply and go on.
///
/// Made by [`Scenario::query`].
pub struct Asked<E: Testable, R> {
    scenario: Scenario<E>,
    reply: R,
}

impl<E: Testable, R: Value> Asked<E, R> {
    pub(super) fn new(scenario: Scenario<E>, reply: R) -> Self {
        Self { scenario, reply }
    }

    /// The query answered this.
    ///
    /// # Panics
    ///
    /// It answered something else.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "tests write the value in place"
    )]
    #[track_caller]
    pub fn then_reply(self, expected: R) -> Scenario<E> {
        let complaint = "the query replied something else";
        or_panic(checks::same(complaint, &self.reply, &expected));
        self.scenario
    }

    /// The reply, for comparisons of your own.
    pub fn reply(&self) -> &R {
        &self.reply
    }
}

impl<E: Testable, R: fmt::Debug> fmt::Debug for Asked<E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked")
            .field("reply", &self.reply)
            .finish_non_exhaustive()
    }
}
