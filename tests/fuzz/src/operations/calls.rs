//! Effects and timers, drawn from an input.

use statefn_store::{
    Deferred, NewTimer, OutboxNumber, Settled, StoredCall, Tending, TimerChange, Timestamp,
};

use super::draw::Names;
use crate::input::Input;
use crate::model::Model;

/// More than there ever are.
pub(super) const ALL: usize = 100_000;

pub(super) const END: Timestamp = Timestamp::from_millis(i64::MAX);

/// What a member defers, and what it answers: a call that is there, as a rule.
pub(super) fn deferred(input: &mut Input<'_>, names: &Names, model: &Model) -> Deferred {
    let effects = (0..input.below(3)).map(|_| call(input, names)).collect();
    let timers = (0..input.below(3)).map(|_| timer(input, names)).collect();
    let settles = input.once_in(2).then(|| settled(input, model)).flatten();
    Deferred {
        effects,
        timers,
        settles,
    }
}

fn call(input: &mut Input<'_>, names: &Names) -> StoredCall {
    StoredCall {
        target: names.id(input),
        command: names.key(input).into(),
        codec: input.byte(),
        arguments: input.bytes(60),
        metadata: input.bytes(20),
        hops: u16::from(input.byte()),
    }
}

fn timer(input: &mut Input<'_>, names: &Names) -> TimerChange {
    match input.below(6) {
        0 => TimerChange::CancelAll,
        1 => TimerChange::Cancel {
            name: names.key(input),
        },
        _ => TimerChange::Set(NewTimer {
            name: names.key(input),
            due: time(input),
            schedule: input.bytes(10),
            call: call(input, names),
        }),
    }
}

pub(super) fn time(input: &mut Input<'_>) -> Timestamp {
    let millis = if input.once_in(6) {
        input.number().cast_signed()
    } else {
        i64::from(input.byte())
    };
    Timestamp::from_millis(millis)
}

/// A call that is there; now and then one that is not, or a timer at another time.
fn settled(input: &mut Input<'_>, model: &Model) -> Option<Settled> {
    if input.once_in(8) {
        return Some(Settled::Effect(OutboxNumber::new(input.number() >> 8)));
    }
    let effects = model.calls.effects(OutboxNumber::ZERO, ALL);
    let effects = effects.iter().map(|effect| Settled::Effect(effect.number));
    let timers = model.calls.timers(END, ALL);
    let timers = timers.iter().map(|timer| Settled::Timer {
        number: timer.number,
        due: timer.due,
        next: None,
    });
    let open: Vec<Settled> = effects.chain(timers).collect();
    let call = *open.get(usize::from(input.byte()) % open.len().max(1))?;
    Some(match call {
        Settled::Timer { number, due, .. } => Settled::Timer {
            number,
            due: if input.once_in(8) { time(input) } else { due },
            next: input.once_in(2).then(|| time(input)),
        },
        effect @ Settled::Effect(_) => effect,
    })
}

/// Changes outside a command.
pub(super) fn changes(input: &mut Input<'_>, model: &Model) -> Vec<Tending> {
    let count = input.below(4);
    (0..count).filter_map(|_| change(input, model)).collect()
}

fn change(input: &mut Input<'_>, model: &Model) -> Option<Tending> {
    let dead = model.calls.dead_letters(OutboxNumber::ZERO, ALL);
    let kind = input.below(5);
    if kind < 2 {
        let letter = dead.get(usize::from(input.byte()) % dead.len().max(1));
        let number = letter.map_or(OutboxNumber::new(7), |letter| letter.effect.number);
        return Some(match kind {
            0 => Tending::Retry(number),
            _ => Tending::Drop(number),
        });
    }
    let call = settled(input, model)?;
    Some(match (kind, call) {
        (2, Settled::Timer { number, due, .. }) => Tending::Postpone {
            number,
            due,
            wake: time(input),
        },
        (3, _) => Tending::Pass(call),
        _ => Tending::Bury {
            call,
            reason: input.text(20),
            attempts: u32::from(input.byte()),
        },
    })
}
