//! What a command sends, made ready before anything of the command is applied.

use std::sync::Arc;

use statefn_store::{Deferred, Settled, StoredCall, TimerChange};

use crate::call_error::Failure;
use crate::effect::Outgoing;
use crate::limits::Limits;
use crate::runtime::budget::{Budget, Seat};

/// The stored call that a request carries out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// What leaves the store with the command's commit; nothing only where that is a mistake on purpose.
    pub(crate) settles: Option<Settled>,
    /// How many effects led here.
    pub(crate) hops: u16,
}

/// What leaves the entity when the member has committed.
pub(super) struct Posted {
    pub(super) effects: Vec<StoredCall>,
    /// The places of the effects that the caller's reply waits for.
    pub(super) awaited: Vec<usize>,
    /// Whether timers were set.
    pub(super) sets_timers: bool,
    pub(super) seat: Option<Seat>,
}

/// What a command sends and settles.
pub(crate) struct Sending {
    pub(crate) deferred: Box<Deferred>,
    pub(super) posted: Option<Box<Posted>>,
}

/// Makes ready what an accepted command sends and what it settles. Most do neither.
pub(crate) fn prepare(
    outgoing: Option<Box<Outgoing>>,
    origin: Option<Origin>,
    limits: &Limits,
    budget: &Arc<Budget>,
) -> Result<Option<Sending>, Failure> {
    let settles = origin.and_then(|origin| origin.settles);
    let mut sending = settles.map(|settles| Sending {
        deferred: Box::new(Deferred {
            settles: Some(settles),
            ..Deferred::default()
        }),
        posted: None,
    });
    if let Some(outgoing) = outgoing {
        let hops = origin.map_or(0, |origin| origin.hops).saturating_add(1);
        let (deferred, posted) = post(*outgoing, hops, limits, budget)?;
        let deferred = Box::new(Deferred {
            settles,
            ..deferred
        });
        sending = Some(Sending {
            deferred,
            posted: Some(Box::new(posted)),
        });
    }
    Ok(sending)
}

/// A deletion ends all timers that were set before it.
pub(super) fn without_timers(sending: Option<Sending>) -> Sending {
    let mut sending = sending.unwrap_or_else(|| Sending {
        deferred: Box::default(),
        posted: None,
    });
    sending.deferred.timers.insert(0, TimerChange::CancelAll);
    sending
}

fn post(
    outgoing: Outgoing,
    hops: u16,
    limits: &Limits,
    budget: &Arc<Budget>,
) -> Result<(Deferred, Posted), Failure> {
    let Outgoing {
        mut effects,
        awaited,
        timers,
        failure,
    } = outgoing;
    if let Some(failure) = failure {
        return Err(failure);
    }
    let (count, limit) = (effects.len() + timers.len(), limits.effects_max);
    if count > limit {
        return Err(Failure::TooLarge {
            what: "the list of effects and timers of one command (counted in calls)",
            bytes: count,
            limit,
        });
    }
    for effect in &mut effects {
        effect.hops = hops;
        check(effect, limits)?;
    }
    for change in &timers {
        if let TimerChange::Set(timer) = change {
            check(&timer.call, limits)?;
        }
    }
    let bytes = effects.iter().map(StoredCall::bytes).sum();
    let seat = match effects.len() {
        0 => None,
        count => Some(budget.seat(count, bytes, limits)?),
    };
    let posted = Posted {
        effects: effects.clone(),
        awaited,
        sets_timers: !timers.is_empty(),
        seat,
    };
    let deferred = Deferred {
        effects,
        timers,
        settles: None,
    };
    Ok((deferred, posted))
}

/// What can be said against a call that is sent on.
pub(super) fn check(call: &StoredCall, limits: &Limits) -> Result<(), Failure> {
    if call.target.id().is_empty() {
        return Err(Failure::Invalid {
            what: "entity id of a call that is sent on",
            reason: "it must have at least one byte".into(),
        });
    }
    for (what, bytes, limit) in [
        (
            "the entity id of a call that is sent on",
            call.target.id().len(),
            limits.id_bytes_max,
        ),
        (
            "the arguments of a call that is sent on",
            call.arguments.len(),
            limits.payload_bytes_max,
        ),
        (
            "the metadata of a call that is sent on",
            call.metadata.len(),
            limits.payload_bytes_max,
        ),
    ] {
        if bytes > limit {
            return Err(Failure::TooLarge { what, bytes, limit });
        }
    }
    Ok(())
}
