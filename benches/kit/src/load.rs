//! Closed loops: each caller sends its next call when it has the answer to the last one.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::runtime::{Builder, Runtime};

use crate::sample::{Sample, times};

/// Calls of a single caller between two looks at the clock.
const STRETCH: u64 = 64;

const WARM: u8 = 0;
const MEASURED: u8 = 1;
const OVER: u8 = 2;

/// Somebody who sends one call after another.
pub trait Caller: Send + 'static {
    /// Makes call `number` and waits for its answer.
    fn call(&mut self, number: u64) -> impl Future<Output = ()> + Send;
}

/// How long a loop runs.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Before anything counts.
    pub warm_up: Duration,
    /// What counts.
    pub measured: Duration,
}

impl Load {
    /// Measures for `seconds`, after a fifth of that.
    pub fn of(seconds: f64) -> Self {
        Self {
            warm_up: Duration::from_secs_f64(seconds / 5.0),
            measured: Duration::from_secs_f64(seconds),
        }
    }

    /// One caller that waits for each call: mean nanoseconds over four fifths of the time,
    /// percentiles of single calls over the rest.
    pub async fn one_caller(self, mut caller: impl Caller) -> Sample {
        let mut number = 0;
        stretch(&mut caller, &mut number, self.warm_up).await;
        let mean = stretch(&mut caller, &mut number, self.measured.mul_f64(0.8)).await;
        let mut times = times();
        let mut before = Instant::now();
        let until = before + self.measured.mul_f64(0.2);
        while before < until {
            caller.call(number).await;
            number += 1;
            let now = Instant::now();
            times.saturating_record((now - before).as_nanos() as u64);
            before = now;
        }
        Sample::of(mean).with(&times)
    }

    /// As [`one_caller`](Self::one_caller), from a thread that blocks.
    pub fn one_thread(self, call: impl FnMut(u64) + Send + 'static) -> Sample {
        let run = std::pin::pin!(self.one_caller(Blocking(call)));
        match run.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(sample) => sample,
            Poll::Pending => unreachable!("nothing in it waits"),
        }
    }

    /// Many callers, each a task; `caller` makes what caller `n` does again and again. Calls a
    /// second; one call in `one_in` is timed.
    pub fn callers<C: Caller>(
        self,
        runtime: &Runtime,
        count: usize,
        one_in: u64,
        mut caller: impl FnMut(usize) -> C,
    ) -> Sample {
        let phase = Arc::new(AtomicU8::new(WARM));
        let tasks: Vec<_> = (0..count)
            .map(|number| {
                let (phase, caller) = (Arc::clone(&phase), caller(number));
                runtime.spawn(one_of_many(phase, one_in, caller))
            })
            .collect();
        std::thread::sleep(self.warm_up);
        phase.store(MEASURED, Ordering::Relaxed);
        let start = Instant::now();
        std::thread::sleep(self.measured);
        phase.store(OVER, Ordering::Relaxed);
        let seconds = start.elapsed().as_secs_f64();
        let (mut calls, mut all) = (0, times());
        for task in tasks {
            let (count, times) = runtime.block_on(task).expect("no caller panics");
            calls += count;
            all.add(times).expect("both grow");
        }
        Sample::of(calls as f64 / seconds).with(&all)
    }
}

/// Mean nanoseconds of a call; the clock is read once in a while.
async fn stretch(caller: &mut impl Caller, number: &mut u64, duration: Duration) -> f64 {
    let (first, start) = (*number, Instant::now());
    while start.elapsed() < duration {
        for _ in 0..STRETCH {
            caller.call(*number).await;
            *number += 1;
        }
    }
    start.elapsed().as_nanos() as f64 / (*number - first) as f64
}

struct Blocking<C>(C);

impl<C: FnMut(u64) + Send + 'static> Caller for Blocking<C> {
    fn call(&mut self, number: u64) -> impl Future<Output = ()> + Send {
        (self.0)(number);
        std::future::ready(())
    }
}

async fn one_of_many(
    phase: Arc<AtomicU8>,
    one_in: u64,
    mut caller: impl Caller,
) -> (u64, Histogram<u64>) {
    let (mut number, mut calls, mut times) = (0_u64, 0, times());
    loop {
        let start = number.is_multiple_of(one_in).then(Instant::now);
        caller.call(number).await;
        number += 1;
        match phase.load(Ordering::Relaxed) {
            WARM => {}
            MEASURED => {
                calls += 1;
                if let Some(start) = start {
                    times.saturating_record(start.elapsed().as_nanos() as u64);
                }
            }
            _ => return (calls, times),
        }
        // A call that never has to wait would keep its worker from the other callers.
        tokio::task::consume_budget().await;
    }
}

/// The async runtime that every contender gets: a worker for each core.
pub fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}
