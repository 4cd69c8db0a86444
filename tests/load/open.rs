//! Open loop: arrivals are fixed in advance and come whether or not earlier calls are answered.
//!
//! A reply's latency counts from the moment at which its call was to be made, so that a stall is
//! felt by everybody who would have come meanwhile.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::{EnterGuard, Handle};

use super::closed::per_second;
use super::tally::{Tally, Took};
use super::world::{World, now};

/// How long the sender sleeps when nobody is due.
const PAUSE: Duration = Duration::from_micros(500);

/// After the last call everybody must have an answer within this time.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is offered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    /// Calls a second.
    pub(super) rate: f64,
    pub(super) duration: Duration,
}

/// What became of it.
#[derive(Debug)]
pub(super) struct Offered {
    /// Calls made a second. Less than the offer when the sender was too slow for it.
    pub(super) sent_per_second: f64,
    /// Replies a second, while calls came.
    pub(super) goodput: f64,
    /// How far the sender was behind at worst.
    pub(super) lag: Duration,
    /// When the last call had been made.
    pub(super) stopped: Instant,
    /// Calls that nobody has answered.
    pub(super) hang: u64,
    pub(super) tally: Arc<Tally>,
}

/// Sends from this thread until everything has been sent, and waits for the answers.
pub(super) fn offer(handle: &Handle, world: &Arc<World>, offer: Offer) -> Offered {
    let sender = Sender::new(handle, world, Manner::of(world));
    let started = now();
    let lag = send_all(&sender, started, offer);
    let stopped = now();
    let elapsed = stopped.saturating_duration_since(started);
    let tally = Arc::clone(&sender.tally);
    let acknowledged = tally.acknowledged.load(Ordering::Relaxed);
    Offered {
        sent_per_second: per_second(sender.sent(), elapsed),
        goodput: per_second(acknowledged, elapsed),
        lag,
        stopped,
        hang: sender.wait_for_answers(),
        tally,
    }
}

/// Makes every call when it is due, or as soon afterwards as this thread gets there. How far it was
/// behind at worst.
fn send_all(sender: &Sender<'_>, started: Instant, offer: Offer) -> Duration {
    let gap = Duration::from_secs_f64(1.0 / offer.rate.max(1.0));
    let (mut due, mut lag) = (Duration::ZERO, Duration::ZERO);
    // A sender that cannot keep up is cut off: what it would send later is no longer the offer.
    while due < offer.duration && started.elapsed() < offer.duration * 2 {
        let at = started.elapsed();
        if at < due {
            std::thread::park_timeout(PAUSE.min(due.saturating_sub(at)));
            continue;
        }
        lag = lag.max(at.saturating_sub(due));
        sender.send(started + due);
        due += gap;
    }
    lag
}

/// How calls are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// Bytes of the event beyond its number.
    pub(super) padding: u64,
    pub(super) deadline: Option<Duration>,
}

impl Manner {
    pub(super) fn of(world: &World) -> Self {
        Self {
            padding: world.padding,
            deadline: None,
        }
    }
}

/// Makes calls without waiting for their answers.
pub(super) struct Sender<'a> {
    handle: &'a Handle,
    _inside: EnterGuard<'a>,
    world: &'a Arc<World>,
    manner: Manner,
    pub(super) tally: Arc<Tally>,
}

impl<'a> Sender<'a> {
    pub(super) fn new(handle: &'a Handle, world: &'a Arc<World>, manner: Manner) -> Self {
        Self {
            handle,
            _inside: handle.enter(),
            world,
            manner,
            tally: Arc::default(),
        }
    }

    /// Makes a call that was to be made at this moment.
    pub(super) fn send(&self, due: Instant) {
        let number = self.world.book.send();
        let Some(call) = self.world.tick(number, self.manner.padding) else {
            return;
        };
        let call = match self.manner.deadline {
            Some(deadline) => call.with_deadline(deadline),
            None => call,
        };
        let called = now();
        let mut running = Box::pin(call.into_future());
        let first = running
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(answer) = first {
            let took = took(due, called);
            return self.tally.note(&self.world.book, number, &answer, took);
        }
        let (world, tally) = (Arc::clone(self.world), Arc::clone(&self.tally));
        tally.waits.fetch_add(1, Ordering::AcqRel);
        self.handle.spawn(async move {
            let answer = running.await;
            tally.note(&world.book, number, &answer, took(due, called));
            tally.waits.fetch_sub(1, Ordering::AcqRel);
        });
    }

    /// Calls made so far.
    pub(super) fn sent(&self) -> u64 {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let tally = &self.tally;
        count(&tally.waits)
            + count(&tally.acknowledged)
            + count(&tally.refused)
            + count(&tally.unknown)
            + tally.odd().0
    }

    /// Waits until nobody waits any more. How many still do after a minute.
    pub(super) fn wait_for_answers(&self) -> u64 {
        let until = now() + PATIENCE;
        while self.tally.waits.load(Ordering::Acquire) > 0 && now() < until {
            std::thread::park_timeout(PAUSE);
        }
        self.tally.waits.load(Ordering::Acquire)
    }
}

fn took(due: Instant, called: Instant) -> Took {
    let answered = now();
    Took {
        since_due: answered.saturating_duration_since(due),
        since_call: answered.saturating_duration_since(called),
    }
}
