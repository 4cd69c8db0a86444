//! What a handler sends on: effects, as the context gathers them.

use statefn_store::{NewTimer, StoredCall, TimerChange, Timestamp};

use crate::call_error::Failure;
use crate::schedule::Schedule;

/// Bytes of a timer's name.
const NAME_BYTES_MAX: usize = 256;

/// A call that a handler can send on: a command with its arguments, not yet made.
///
/// What a method of a reference returns for a command; see [`Context::effect`].
///
/// [`Context::effect`]: crate::Context::effect
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent on",
    label = "this is not a call of a command",
    note = "send what a method of a reference returns for a `#[command]`, as in \
            `ctx.effect(ctx.entity::<Cart>(\"alice\").add_item(..))`; a query has no effect"
)]
pub trait Deferrable {
    /// The call as it is stored.
    #[doc(hidden)]
    fn into_stored(self) -> Result<StoredCall, Undeferrable>;
}

/// Why a call cannot be stored.
#[doc(hidden)]
#[derive(Debug)]
pub struct Undeferrable(pub(crate) Failure);

/// Everything that one command sends on.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    pub(crate) effects: Vec<StoredCall>,
    /// How many of the effects the caller's reply waits for, by their place.
    pub(crate) awaited: Vec<usize>,
    pub(crate) timers: Vec<TimerChange>,
    /// The first of them that cannot be stored: the command fails.
    pub(crate) failure: Option<Failure>,
}

impl Outgoing {
    /// Adds a timer.
    pub(crate) fn timer(
        &mut self,
        name: String,
        schedule: Schedule,
        call: impl Deferrable,
        now: Timestamp,
    ) {
        let timer = call.into_stored().and_then(|call| {
            if name.is_empty() || name.len() > NAME_BYTES_MAX {
                let reason = format!("a timer's name has 1 to {NAME_BYTES_MAX} bytes");
                return Err(Undeferrable(Failure::Invalid {
                    what: "timer",
                    reason: reason.into(),
                }));
            }
            let (due, schedule) = schedule.begin(now).map_err(Undeferrable)?;
            Ok(NewTimer {
                name,
                due,
                schedule,
                call,
            })
        });
        match timer {
            Ok(timer) => self.timers.push(TimerChange::Set(timer)),
            Err(Undeferrable(failure)) => {
                self.failure.get_or_insert(failure);
            }
        }
    }

    /// Ends a timer.
    pub(crate) fn cancel(&mut self, name: String) {
        self.timers.push(TimerChange::Cancel { name });
    }

    /// Adds an effect.
    pub(crate) fn effect(&mut self, call: impl Deferrable, is_awaited: bool) {
        match call.into_stored() {
            Ok(call) => {
                if is_awaited {
                    self.awaited.push(self.effects.len());
                }
                self.effects.push(call);
            }
            Err(Undeferrable(failure)) => {
                self.failure.get_or_insert(failure);
            }
        }
    }
}
