//! What a command sends on, to be compared and shown.

use std::fmt;
use std::sync::Arc;

use statefn_store::{NewTimer, StoredCall, TimerChange, Timestamp};

use crate::call_error::Failure;
use crate::codec::Codec;
use crate::effect::{Deferrable, Outgoing, Undeferrable};
use crate::limits::Limits;
use crate::runtime::budget::Budget;
use crate::runtime::definition::Registration;
use crate::runtime::sending;
use crate::schedule::{Rule, Schedule};

/// A call that is sent on. Shown with its arguments, if its entity type is linked.
#[derive(PartialEq)]
pub(super) struct Sent(StoredCall);

/// A timer that is set.
#[derive(PartialEq)]
pub(super) struct Set {
    name: String,
    due: Timestamp,
    schedule: Vec<u8>,
    call: Sent,
}

/// Everything that a command sends on, besides a forward.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Baggage {
    pub(super) effects: Vec<Sent>,
    pub(super) set: Vec<Set>,
    pub(super) cancelled: Vec<String>,
}

impl Sent {
    pub(super) fn new(call: StoredCall) -> Self {
        // How far it is from the first one says nothing about what it does.
        Self(StoredCall { hops: 0, ..call })
    }

    pub(super) fn expected(call: impl Deferrable) -> Self {
        match call.into_stored() {
            Ok(call) => Self::new(call),
            Err(Undeferrable(failure)) => panic!("the expected call cannot be sent: {failure}"),
        }
    }
}

impl Set {
    fn new(timer: NewTimer) -> Self {
        let NewTimer {
            name,
            due,
            schedule,
            call,
        } = timer;
        let call = Sent::new(call);
        Self {
            name,
            due,
            schedule,
            call,
        }
    }

    pub(super) fn expected(
        name: String,
        when: Schedule,
        call: impl Deferrable,
        now: Timestamp,
    ) -> Self {
        match when.begin(now) {
            Ok((due, schedule)) => Self {
                name,
                due,
                schedule,
                call: Sent::expected(call),
            },
            Err(failure) => panic!("the expected timer cannot be set: {failure}"),
        }
    }
}

impl Baggage {
    /// Checks it as the runtime does, under its default limits.
    pub(super) fn pack(outgoing: Option<Box<Outgoing>>) -> Result<Self, Failure> {
        let (limits, budget) = (Limits::default(), Arc::<Budget>::default());
        let sending = sending::prepare(outgoing, None, &limits, &budget)?;
        let mut baggage = Self::default();
        let Some(sending) = sending else {
            return Ok(baggage);
        };
        let deferred = *sending.deferred;
        baggage.effects = deferred.effects.into_iter().map(Sent::new).collect();
        for change in deferred.timers {
            match change {
                TimerChange::Set(timer) => baggage.set.push(Set::new(timer)),
                TimerChange::Cancel { name } => baggage.cancelled.push(name),
                TimerChange::CancelAll => {}
            }
        }
        Ok(baggage)
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = &self.0;
        write!(f, "{}: {}", call.target, call.command)?;
        match arguments(call) {
            Some(arguments) => write!(f, " {arguments}")?,
            None => write!(f, " with {} bytes", call.arguments.len())?,
        }
        if call.metadata.is_empty() {
            return Ok(());
        }
        match Codec::Bincode.decode::<crate::Metadata>(&call.metadata) {
            Ok(metadata) => metadata
                .iter()
                .try_for_each(|(name, value)| write!(f, ", {name:?}: {value:?}")),
            Err(_) => write!(f, " and metadata"),
        }
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            due,
            schedule,
            call,
        } = self;
        write!(f, "{name:?} due at {due}, ")?;
        if !schedule.is_empty() {
            write!(f, "{:?}, ", Rule::decode(schedule))?;
        }
        write!(f, "{call:?}")
    }
}

/// The arguments as text, by the code of their command.
fn arguments(call: &StoredCall) -> Option<String> {
    let codec = Codec::from_id(call.codec)?;
    let mut types = Registration::linked();
    let definition = types.find(|d| d.entity_type() == call.target.entity_type().as_str())?;
    definition
        .commands()
        .show(&call.command, codec, &call.arguments)
}
