//! One caller: a call after the other, each reported before it is sent and after it is answered.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use statefn::command::Command;
use statefn::prelude::*;
use statefn::testing::oracle::ATTEMPT_HEADER;
use statefn_store::testing::Dice;

use super::World;
use crate::crash::ledger::{Curse, Ledger, Notebook, Refusal, View};
use crate::crash::load::Mix;
use crate::crash::report::{
    Address, Again, Answer, Call, EntityKind, Reason, Report, What, attempt_number, key_of,
};

pub(super) struct Caller {
    world: Arc<World>,
    mix: Mix,
    dice: Dice,
    /// Which of the callers.
    number: u64,
    calls: u64,
}

impl Caller {
    pub(super) fn new(world: Arc<World>, mix: Mix, number: u64) -> Self {
        let dice = Dice::new(world.assignment.seed.wrapping_add(number << 32));
        Self {
            world,
            mix,
            dice,
            number,
            calls: 0,
        }
    }

    /// Works until the runtime has stopped.
    pub(super) async fn work(mut self) {
        self.look_around().await;
        while let Some(again) = self.pop_again() {
            self.send(again.command, again.attempt, again.call).await;
        }
        loop {
            let command = self.next_number();
            let call = self.next_call();
            if self.once_or_twice(command, call).await == Answer::NotApplied(Reason::Stopped) {
                return;
            }
        }
    }

    /// Reads what an earlier process left, a share of the entities each caller.
    async fn look_around(&mut self) {
        let mine = (self.number..self.mix.entities)
            .step_by(usize::try_from(self.mix.callers).unwrap_or(1));
        for number in mine {
            for kind in [EntityKind::Ledger, EntityKind::Notebook] {
                if self.mix.kind.is_none_or(|only| only == kind) {
                    let command = self.next_number();
                    let entity = Address { kind, number };
                    let look = Call {
                        entity,
                        what: What::Look,
                        keyed: false,
                        deadline: None,
                    };
                    self.send(command, 0, look).await;
                }
            }
        }
    }

    fn pop_again(&self) -> Option<Again> {
        let mut again = self
            .world
            .again
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        again.pop()
    }

    fn next_number(&mut self) -> u64 {
        let number = self.calls * self.mix.callers + self.number;
        self.calls += 1;
        self.world.assignment.first_command + number
    }

    fn next_call(&mut self) -> Call {
        let kind = match self.mix.kind {
            Some(kind) => kind,
            None if self.dice.chance(500) => EntityKind::Ledger,
            None => EntityKind::Notebook,
        };
        let number = self.dice.below(self.mix.entities);
        let what = if self.dice.chance(self.mix.queries) {
            What::Look
        } else if self.dice.chance(self.mix.curses) {
            What::Curse(match self.dice.below(3) {
                0 => Curse::Handler,
                1 => Curse::Event,
                _ => Curse::Reply,
            })
        } else {
            self.next_posting()
        };
        let keyed = matches!(what, What::Post { .. }) && self.dice.chance(self.mix.keyed);
        let late = keyed && self.dice.chance(self.mix.deadline);
        Call {
            entity: Address { kind, number },
            what,
            keyed,
            deadline: late.then(|| self.dice.between(1..=3_000)),
        }
    }

    fn next_posting(&mut self) -> What {
        let mut amounts = Vec::new();
        for _ in 0..self.dice.between(self.mix.parts.clone()) {
            let size = self.dice.between(1..=self.mix.amount).cast_signed();
            amounts.push(if self.dice.chance(500) { size } else { -size });
        }
        let padding = self.dice.between(self.mix.padding.clone());
        What::Post { amounts, padding }
    }

    async fn once_or_twice(&mut self, command: u64, call: Call) -> Answer {
        if !call.keyed || !self.dice.chance(self.mix.twice) {
            return self.send(command, 0, call).await;
        }
        if self.dice.chance(500) {
            let both = (call.clone(), call);
            let (first, _) =
                tokio::join!(self.send(command, 0, both.0), self.send(command, 1, both.1));
            first
        } else {
            self.send(command, 0, call.clone()).await;
            self.send(command, 1, call).await
        }
    }

    async fn send(&self, command: u64, attempt: u64, call: Call) -> Answer {
        let voice = &self.world.voice;
        voice.say(&Report::Sent {
            caller: self.world.assignment.first_command + self.number,
            command,
            attempt,
            call: call.clone(),
        });
        let answer = self.run(command, attempt, call).await;
        voice.say(&Report::Answered {
            command,
            attempt,
            answer: answer.clone(),
        });
        answer
    }

    async fn run(&self, command: u64, attempt: u64, call: Call) -> Answer {
        let id = call.entity.id();
        let runtime = &self.world.runtime;
        let header = attempt_number(command, attempt).to_string();
        let key = call.keyed.then(|| key_of(command));
        let deadline = call.deadline.map(Duration::from_micros);
        match (call.entity.kind, call.what) {
            (EntityKind::Ledger, What::Post { amounts, padding }) => {
                let call = runtime.entity::<Ledger>(id).post(command, amounts, padding);
                posted(shape(call.with_metadata(ATTEMPT_HEADER, header), key, deadline).await)
            }
            (EntityKind::Notebook, What::Post { amounts, padding }) => {
                let call = runtime
                    .entity::<Notebook>(id)
                    .post(command, amounts, padding);
                posted(shape(call.with_metadata(ATTEMPT_HEADER, header), key, deadline).await)
            }
            (EntityKind::Ledger, What::Look) => seen(runtime.entity::<Ledger>(id).look().await),
            (EntityKind::Notebook, What::Look) => seen(runtime.entity::<Notebook>(id).look().await),
            (EntityKind::Ledger, What::Curse(curse)) => {
                cursed(runtime.entity::<Ledger>(id).curse(command, curse).await)
            }
            (EntityKind::Notebook, What::Curse(curse)) => {
                cursed(runtime.entity::<Notebook>(id).curse(command, curse).await)
            }
        }
    }
}

fn shape<O: Command>(
    mut call: statefn::Call<O>,
    key: Option<String>,
    deadline: Option<Duration>,
) -> statefn::Call<O> {
    if let Some(key) = key {
        call = call.with_key(key);
    }
    if let Some(deadline) = deadline {
        call = call.with_deadline(deadline);
    }
    call
}

fn posted(answer: Result<View, CallError<Refusal>>) -> Answer {
    match answer {
        Ok(view) => Answer::Posted(view),
        Err(CallError::Rejected(Refusal(view))) => Answer::Refused(view),
        Err(error) => machinery(&error),
    }
}

fn seen<E: std::fmt::Debug>(answer: Result<View, CallError<E>>) -> Answer {
    match answer {
        Ok(view) => Answer::Seen(view),
        Err(error) => machinery(&error),
    }
}

fn cursed<E: std::fmt::Debug>(answer: Result<View, CallError<E>>) -> Answer {
    match answer {
        Ok(view) => Answer::Odd(format!("a cursed command was answered with {view:?}")),
        Err(error) => machinery(&error),
    }
}

fn machinery<E: std::fmt::Debug>(error: &CallError<E>) -> Answer {
    match error {
        CallError::OutcomeUnknown { .. } => Answer::Unknown,
        CallError::Overloaded(_) => Answer::NotApplied(Reason::Overloaded),
        CallError::Panicked { .. } => Answer::NotApplied(Reason::Panicked),
        CallError::Stopped => Answer::NotApplied(Reason::Stopped),
        CallError::Timeout => Answer::NotApplied(Reason::Timeout),
        error => Answer::Odd(format!("{error:?}")),
    }
}
