//! One caller: a call after the other, each reported before it is sent and after it is answered.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use statefn_store::testing::Dice;

use super::World;
use super::manner::{Dressed, Manner, cursed, posted, seen};
use crate::crash::ledger::{Curse, Ledger, Notebook};
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
    /// Whether it blocks its thread while it waits, as callers outside the async runtime do.
    pub(super) blocks: bool,
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
            blocks: number % 4 == 3,
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
                        dropped: false,
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
            dropped: self.dice.chance(self.mix.dropped),
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
        let manner = match (call.dropped, self.blocks) {
            (true, _) => Manner::Leaves,
            (false, true) => Manner::Blocks,
            (false, false) => Manner::Awaits,
        };
        let dressed = Dressed {
            header: attempt_number(command, attempt).to_string(),
            key: call.keyed.then(|| key_of(command)),
            deadline: call.deadline.map(Duration::from_micros),
            manner,
        };
        let (id, runtime) = (call.entity.id(), &self.world.runtime);
        match call.entity.kind {
            EntityKind::Ledger => {
                let ledger = runtime.entity::<Ledger>(id);
                match call.what {
                    What::Post { amounts, padding } => {
                        posted(dressed.ask(ledger.post(command, amounts, padding)).await)
                    }
                    What::Curse(curse) => cursed(dressed.ask(ledger.curse(command, curse)).await),
                    What::Look => seen(manner.ask(ledger.look()).await),
                }
            }
            EntityKind::Notebook => {
                let notebook = runtime.entity::<Notebook>(id);
                match call.what {
                    What::Post { amounts, padding } => {
                        posted(dressed.ask(notebook.post(command, amounts, padding)).await)
                    }
                    What::Curse(curse) => cursed(dressed.ask(notebook.curse(command, curse)).await),
                    What::Look => seen(manner.ask(notebook.look()).await),
                }
            }
        }
    }
}
