//! One run of a command's handler.

use crate::context::Context;
use crate::limits::Limits;
use crate::reply::{Handled, Infallible};
use crate::runtime::decision::conclude;
use crate::testing::scenario::answer::Value;
use crate::testing::scenario::{Testable, checks};

/// The handler of a command.
pub(super) type Command<'a, E, T, R> = &'a dyn Fn(&E, &mut Context<E>) -> Handled<E, T, R>;

/// What a handler said, before any of it happened.
pub(super) struct Trial<E: Testable, T, R> {
    handled: Handled<E, T, R>,
    emitted: Vec<E::Event>,
}

/// What a command came to.
pub(super) struct Concluded<E: Testable, T, R> {
    pub(super) answer: Result<T, R>,
    /// Empty after a rejection.
    pub(super) emitted: Vec<E::Event>,
}

impl<E: Testable, T: Value, R: Value> Trial<E, T, R> {
    pub(super) fn attempt(
        command: Command<'_, E, T, R>,
        state: &E,
        mut context: Context<E>,
    ) -> Self {
        let handled = command(state, &mut context);
        let (_, emitted, _) = context.into_parts();
        Self { handled, emitted }
    }

    /// Applies it as the runtime does, under its default limits.
    pub(super) fn conclude(self, state: &mut E) -> Result<Concluded<E, T, R>, String> {
        let Self {
            handled,
            mut emitted,
        } = self;
        let codec = E::OPTIONS.codec;
        let decision = conclude(handled, &emitted, state, codec, &Limits::default())
            .map_err(|failure| format!("the command fails: {}", failure.widen::<Infallible>()))?;
        if decision.answer.is_err() {
            emitted.clear();
        }
        Ok(Concluded {
            answer: decision.answer,
            emitted,
        })
    }
}

impl<E: Testable, T: Value, R: Value> Concluded<E, T, R> {
    /// Two runs on equal states came to the same.
    pub(super) fn must_equal(&self, other: &Self) -> Result<(), String> {
        checks::same(checks::TWO_DECISIONS, &self.emitted, &other.emitted)?;
        checks::same(checks::TWO_DECISIONS, &self.answer, &other.answer)
    }
}
