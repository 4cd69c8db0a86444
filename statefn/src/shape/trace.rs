//! What is known of a type so far, and where in it the tracing is.

use std::collections::{HashMap, HashSet};

use crate::shape::failure::{Cause, Failed, Interruption};
use crate::shape::graph::{Alternative, Contradiction, Graph, Slot, Target, TypeIndex};
use crate::shape::samples;

/// Values inside values. Deeper ones than this have no end, as far as tracing goes.
const LEVELS_MAX: usize = 96;
/// Values asked for in all rounds together.
const STEPS_MAX: usize = 1_000_000;
/// How often a variant may turn out endless before it is left as it is.
const ENDLESS_MAX: usize = 16;

/// The state of a trace.
pub(super) struct Trace {
    pub(super) graph: Graph,
    pub(super) is_human_readable: bool,
    /// The types around the value in hand, with the alternative that is looked at.
    stack: Vec<Alternative>,
    /// How many types of the stack are inside themselves: their values are kept small.
    nested: usize,
    path: Vec<String>,
    steps: usize,
    fatal: Option<Failed>,
    /// The alternative of each enum that first came to an end: it always does.
    ends: HashMap<TypeIndex, usize>,
    endless: HashMap<Alternative, usize>,
    /// How often an alternative was looked at: all have their turn.
    visits: HashMap<Alternative, usize>,
    /// How often the samples at a path were refused.
    refused: HashMap<String, usize>,
    /// Names of fields that are aliases.
    pub(super) aliases: HashSet<(Alternative, &'static str)>,
}

impl Trace {
    /// A trace that knows nothing yet.
    pub(super) fn new(is_human_readable: bool) -> Self {
        Self {
            graph: Graph::new(),
            is_human_readable,
            stack: Vec::new(),
            nested: 0,
            path: Vec::new(),
            steps: 0,
            fatal: None,
            ends: HashMap::new(),
            endless: HashMap::new(),
            visits: HashMap::new(),
            refused: HashMap::new(),
            aliases: HashSet::new(),
        }
    }

    /// Goes back to the outermost value, with all that is known.
    pub(super) fn start_over(&mut self) {
        self.stack.clear();
        self.path.clear();
        self.nested = 0;
    }

    /// Why the trace must end, if it must.
    pub(super) fn take_fatal(&mut self) -> Option<Failed> {
        self.fatal.take()
    }

    /// The place in the type that is looked at.
    pub(super) fn here(&self) -> String {
        self.path.concat()
    }

    /// The user's code refused what lies at `path`: other samples next time.
    pub(super) fn refuse(&mut self, path: String, reason: &str) -> Result<(), Failed> {
        let count = self.refused.entry(path.clone()).or_default();
        *count += 1;
        if *count <= samples::ATTEMPTS_MAX {
            // A new attempt is a step forward.
            self.graph.known += 1;
            return Ok(());
        }
        let reason =
            format!("its `Deserialize` refuses made-up values, the last one with: {reason}");
        Err((path, reason))
    }

    /// Ends the trace.
    pub(super) fn fail(&mut self, reason: impl Into<String>) -> Interruption {
        if self.fatal.is_none() {
            self.fatal = Some((self.here(), reason.into()));
        }
        Interruption::new(Cause::Fatal)
    }

    /// How many samples at this place were refused before.
    pub(super) fn attempt(&self) -> usize {
        if self.refused.is_empty() {
            return 0;
        }
        let here = self.here();
        let attempts = self.refused.iter();
        attempts
            .filter(|(path, _)| here.starts_with(path.as_str()))
            .map(|(_, count)| *count)
            .max()
            .unwrap_or_default()
    }

    /// Notes what the value at `slot` is.
    pub(super) fn record(&mut self, slot: Slot, target: Target) -> Result<(), Interruption> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            let reason = format!("after {STEPS_MAX} questions its shape is still not known");
            return Err(self.fail(reason));
        }
        let recorded = self.graph.record(slot, target);
        self.settled(recorded)
    }

    /// A contradiction ends the trace.
    pub(super) fn settled(
        &mut self,
        result: Result<(), Contradiction>,
    ) -> Result<(), Interruption> {
        result.map_err(|Contradiction| {
            self.fail(
                "it asks for different things from one value to the next, as types with both \
                 `tag` and `content` do",
            )
        })
    }

    /// Whether values should be as small as possible.
    pub(super) fn wants_little(&self) -> bool {
        self.nested > 0
    }

    /// Goes into a value of type `ty`.
    pub(super) fn enter(&mut self, at: Alternative) -> Result<(), Interruption> {
        if self.stack.len() >= LEVELS_MAX {
            return Err(self.endless());
        }
        if self.stack.iter().any(|outer| outer.ty == at.ty) {
            self.nested += 1;
        }
        self.stack.push(at);
        Ok(())
    }

    /// Comes out of the innermost value; `came_to_an_end` when there is one.
    pub(super) fn leave(&mut self, came_to_an_end: bool) {
        let Some(at) = self.stack.pop() else { return };
        if self.stack.iter().any(|outer| outer.ty == at.ty) {
            self.nested = self.nested.saturating_sub(1);
        }
        if came_to_an_end {
            self.ends.entry(at.ty).or_insert(at.index);
        }
    }

    /// The value in hand cannot end: the variants that led here are at fault.
    pub(super) fn endless(&mut self) -> Interruption {
        for at in &self.stack {
            *self.endless.entry(*at).or_default() += 1;
        }
        Interruption::new(Cause::Endless)
    }

    /// Which variant of an enum the next value takes.
    pub(super) fn choose(&mut self, ty: TypeIndex, variants: usize) -> Option<Alternative> {
        let endless = |index: usize| {
            let at = Alternative { ty, index };
            self.endless.get(&at).copied().unwrap_or_default()
        };
        let visits = |index: usize| {
            let at = Alternative { ty, index };
            self.visits.get(&at).copied().unwrap_or_default()
        };
        let to_explore = if self.stack.iter().any(|outer| outer.ty == ty) {
            None
        } else {
            let incomplete = self.graph.incomplete_alternatives(ty).into_iter();
            incomplete
                .filter(|index| endless(*index) < ENDLESS_MAX)
                .min_by_key(|index| (endless(*index), visits(*index), *index))
        };
        let index = to_explore
            .or_else(|| self.ends.get(&ty).copied())
            .or_else(|| {
                let above = |index| {
                    let at = Alternative { ty, index };
                    self.stack.iter().filter(|outer| **outer == at).count()
                };
                (0..variants).min_by_key(|index| (endless(*index), above(*index), *index))
            })?;
        let at = Alternative { ty, index };
        *self.visits.entry(at).or_default() += 1;
        Some(at)
    }

    /// Runs `code` with one more step on the path; errors learn where they happened.
    pub(super) fn step_into<T>(
        &mut self,
        step: String,
        code: impl FnOnce(&mut Self) -> Result<T, Interruption>,
    ) -> Result<T, Interruption> {
        self.path.push(step);
        let result = code(self).map_err(|mut interruption| {
            if interruption.path.is_none() {
                interruption.path = Some(self.here());
            }
            interruption
        });
        self.path.pop();
        result
    }
}
