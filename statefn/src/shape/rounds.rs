//! Rounds of deserializing, until everything about a type is known.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::shape::failure::{Cause, Failed, Interruption};
use crate::shape::probe::Probe;
use crate::shape::render;
use crate::shape::trace::Trace;

/// Deserializes the traced type once.
pub(super) type Round<'a> = &'a dyn Fn(Probe<'_>) -> Result<(), Interruption>;

/// Rounds in a row that find out nothing new.
const IDLE_ROUNDS_MAX: usize = 4096;

/// Traces a type; its canonical text.
pub(super) fn trace(is_human_readable: bool, round: Round<'_>) -> Result<String, Failed> {
    let mut trace = Trace::new(is_human_readable);
    let mut idle = 0;
    while !trace.graph.is_whole() {
        let before = trace.graph.known;
        run(&mut trace, round)?;
        idle = if trace.graph.known == before {
            idle + 1
        } else {
            0
        };
        if idle > IDLE_ROUNDS_MAX {
            let reason = "it contains itself, or a type without values, with no way to an end";
            return Err((render::first_unknown(&trace.graph), reason.to_owned()));
        }
    }
    render::text(&trace.graph)
}

fn run(trace: &mut Trace, round: Round<'_>) -> Result<(), Failed> {
    trace.start_over();
    let probe = Probe::new(trace, None);
    let ended = catch_unwind(AssertUnwindSafe(|| round(probe)));
    // Also when the user's code has swallowed the error.
    if let Some(fatal) = trace.take_fatal() {
        return Err(fatal);
    }
    match ended {
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&'static str>().copied());
            let text = text.unwrap_or("without a message");
            let reason = format!("its `Deserialize` panicked: {text}");
            Err((trace.here(), reason))
        }
        Ok(Ok(())) => Ok(()),
        Ok(Err(Interruption { cause, path })) => {
            let path = path.unwrap_or_default();
            match cause {
                Cause::Refused(reason) => trace.refuse(path, &reason),
                Cause::Duplicate(field) => trace.refuse(path, &format!("`{field}` twice")),
                Cause::Again | Cause::Endless | Cause::Fatal => Ok(()),
            }
        }
    }
}
