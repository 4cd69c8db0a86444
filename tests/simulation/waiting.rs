//! Async commands, simulated: what they tell others while they wait is never taken back.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Waiting, Poll};

use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::testing::{Client, Dice, SimulatedCall, Simulation};

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) struct Written {
    number: u64,
}

/// Writes, and tells witnesses what it has written.
#[entity(event_sourced, name = "scribe", snapshot_every = 4)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scribe {
    /// A digest of all that was written up to each event.
    digests: Vec<u64>,
}

#[entity]
impl Scribe {
    #[command]
    fn write(&self, ctx: &mut Context<Self>, number: u64) -> Then<Self, u64> {
        ctx.emit(Written { number });
        ctx.then(Self::digest)
    }

    /// Writes on both sides of some waits.
    #[command]
    async fn write_slowly(
        &self,
        ctx: &mut Context<Self>,
        number: u64,
    ) -> Result<Then<Self, u64>, String> {
        let before = self.digests.len();
        ctx.emit(Written { number });
        for _ in 0..number {
            Yield(false).await;
        }
        if number == 0 {
            return Err(format!("nothing to write after {before}"));
        }
        let number = ctx.rng().u64(..1_000);
        ctx.emit(Written { number });
        Ok(ctx.then(Self::digest))
    }

    /// Tells a witness how much is written, and writes down what the witness says.
    #[command]
    async fn testify(&self, ctx: &mut Context<Self>, to: String) -> Result<u64, String> {
        let (count, digest) = (self.digests.len() as u64, self.digest());
        let witness = ctx.entity::<Witness>(to);
        let number = witness.hear(ctx.id(), count, digest).await;
        let number = number.map_err(|error| error.to_string())?;
        ctx.emit(Written { number });
        Ok(number)
    }

    #[query]
    fn digest(&self) -> u64 {
        self.digests.last().copied().unwrap_or(0)
    }

    /// Whether so much has been written once, and it was this.
    #[query]
    fn has_written(&self, count: u64, digest: u64) -> bool {
        let index = usize::try_from(count)
            .ok()
            .and_then(|count| count.checked_sub(1));
        index.map_or(digest == 0, |index| {
            self.digests.get(index) == Some(&digest)
        })
    }

    #[event_handler]
    fn apply(&mut self, event: &Written) {
        let digest = (self.digest() ^ event.number).wrapping_mul(0x0100_0000_01b3);
        self.digests.push(digest.rotate_left(5) + 1);
    }
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) struct Heard {
    scribe: String,
    count: u64,
    digest: u64,
}

/// Keeps what it was told.
#[entity(event_sourced, name = "witness")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Witness {
    heard: Vec<(String, u64, u64)>,
}

#[entity]
impl Witness {
    #[command]
    fn hear(
        &self,
        ctx: &mut Context<Self>,
        scribe: String,
        count: u64,
        digest: u64,
    ) -> Then<Self, u64> {
        ctx.emit(Heard {
            scribe,
            count,
            digest,
        });
        ctx.then(|witness| witness.heard.len() as u64)
    }

    #[query]
    fn heard(&self) -> Vec<(String, u64, u64)> {
        self.heard.clone()
    }

    #[event_handler]
    fn apply(&mut self, event: &Heard) {
        let Heard {
            scribe,
            count,
            digest,
        } = event;
        self.heard.push((scribe.clone(), *count, *digest));
    }
}

/// Waits until everybody else has had a turn.
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Waiting<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

const WITNESSES: u64 = 2;

/// Scribes that write, wait, and testify.
pub(crate) fn simulation() -> Simulation {
    Simulation::of::<(Scribe, Witness)>()
        .workload(call)
        .check(nothing_was_taken_back)
}

fn call(dice: &mut Dice) -> SimulatedCall {
    let id = format!("scribe {}", dice.below(4));
    let number = dice.below(6);
    match dice.below(100) {
        0..40 => SimulatedCall::new(id, move |scribe: &ScribeRef| scribe.write(number)),
        40..60 => SimulatedCall::new(id, move |scribe: &ScribeRef| scribe.write_slowly(number)),
        60..85 => {
            let to = format!("witness {}", dice.below(WITNESSES));
            SimulatedCall::new(id, move |scribe: &ScribeRef| scribe.testify(to.as_str()))
        }
        _ => SimulatedCall::new(id, |scribe: &ScribeRef| scribe.digest()),
    }
}

/// Whatever a witness was told, its scribe has written.
async fn nothing_was_taken_back(client: Client) {
    for witness in 0..WITNESSES {
        let id = format!("witness {witness}");
        let heard = client.call(id, |witness: &WitnessRef| witness.heard());
        let heard = heard.await;
        assert!(heard.is_ok(), "nothing fails any more: {heard:?}");
        for (scribe, count, digest) in heard.unwrap_or_default() {
            let has_written = move |scribe: &ScribeRef| scribe.has_written(count, digest);
            let answer = client.call(scribe.as_str(), has_written).await;
            assert_eq!(answer, Ok(true), "{scribe} told of {count} events");
        }
    }
}
