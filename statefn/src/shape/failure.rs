//! How a round of tracing ends early, and how a whole trace fails.

use std::fmt;

use serde::de;

/// Where and why a trace failed.
pub(super) type Failed = (String, String);

/// Ends a round. What it means for the trace is decided where the round was started.
#[derive(Debug)]
pub(super) struct Interruption {
    pub(super) cause: Cause,
    /// Where it happened; filled in by the innermost place that knows.
    pub(super) path: Option<String>,
}

#[derive(Debug)]
pub(super) enum Cause {
    /// The user's code refused a value.
    Refused(String),
    /// serde's derive saw a field twice: one of its names is an alias of this one.
    Duplicate(&'static str),
    /// Something new is known: start again.
    Again,
    /// The value would have no end.
    Endless,
    /// Written down in the trace already.
    Fatal,
}

impl Interruption {
    pub(super) fn new(cause: Cause) -> Self {
        Self { cause, path: None }
    }
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Refused(reason) => f.write_str(reason),
            Cause::Duplicate(field) => write!(f, "duplicate field `{field}`"),
            Cause::Again | Cause::Endless | Cause::Fatal => f.write_str("tracing was interrupted"),
        }
    }
}

impl std::error::Error for Interruption {}

impl de::Error for Interruption {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Cause::Refused(message.to_string()))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(Cause::Duplicate(field))
    }
}
