//! A courier: delivers what one sender has for one target, one call after another.

use std::sync::{Arc, Weak};

use statefn_store::{CommitError, OutboxNumber, Settled, Tending};

use super::address::{address, unknown_command};
use super::timers::{self, Postponed};
use super::{Outbox, Pair, Post};
use crate::call_error::Failure;
use crate::runtime::backoff::backoff;
use crate::runtime::engine::Engine;
use crate::runtime::sending::Origin;
use crate::runtime::shared::{Intake, Shared};

/// An effect that was caused by so many others in a row is not delivered.
const HOPS_MAX: u16 = 64;

/// What became of an attempt.
enum Attempt {
    /// The target has answered, or somebody else has settled the call.
    Settled,
    /// It will never be answered.
    Hopeless(String),
    /// It may be answered later; whether the target is to blame.
    Failed { failure: Failure, counts: bool },
    /// It has failed so often.
    WornOut(String, u32),
    /// It waits in the store.
    Postponed,
    /// The runtime takes no calls any more.
    Closed,
}

/// Sends a courier.
pub(super) fn send(engine: &Arc<Engine>, pair: Pair, generation: u64) {
    let task = carry(Arc::downgrade(engine), pair, generation);
    engine.shared().env.spawn(Box::pin(task));
}

async fn carry(engine: Weak<Engine>, pair: Pair, generation: u64) {
    let mut attempts = 0;
    let mut failures = 0;
    loop {
        let Some(strong) = engine.upgrade() else {
            return;
        };
        let shared = Arc::clone(strong.shared());
        let Some(post) = shared.outbox.head(&pair, generation) else {
            return;
        };
        let attempt = attempt(&strong, &post).await;
        drop(strong);
        let attempt = match attempt {
            Attempt::Failed { failure, counts } if post.is_timer() => {
                postpone(&shared, &post, failure, counts).await
            }
            other => other,
        };
        let wait = match attempt {
            Attempt::Closed => return shared.outbox.give_up(&pair, generation),
            Attempt::Settled => {
                shared.outbox.forget_failures(&post);
                None
            }
            Attempt::Postponed => None,
            Attempt::WornOut(reason, attempts) => bury(&shared, &post, reason, attempts).await,
            Attempt::Hopeless(reason) => bury(&shared, &post, reason, attempts + 1).await,
            Attempt::Failed { failure, counts } => {
                attempts += u32::from(counts);
                if attempts >= shared.limits.delivery_attempts_max.max(1) {
                    bury(&shared, &post, failure.to_string(), attempts).await
                } else {
                    Some(failure)
                }
            }
        };
        match wait {
            None => {
                shared.outbox.done(&pair, &post, generation);
                (attempts, failures) = (0, 0);
            }
            Some(failure) => {
                failures += 1;
                report(&post, &failure);
                shared.outbox.rest(&pair, &post, generation, true);
                drop(post);
                let sleep = shared.env.sleep(backoff(failures));
                drop(shared);
                sleep.await;
                if let Some(engine) = engine.upgrade() {
                    engine.shared().outbox.wake(&pair, generation);
                }
            }
        }
    }
}

/// A timer waits for its next attempt in the store, not in memory.
async fn postpone(shared: &Shared, post: &Post, failure: Failure, counts: bool) -> Attempt {
    let (postponed, attempts) = timers::postpone(shared, post, counts).await;
    match postponed {
        Postponed::Later if attempts >= shared.limits.delivery_attempts_max.max(1) => {
            shared.outbox.forget_failures(post);
            Attempt::WornOut(failure.to_string(), attempts)
        }
        Postponed::Later => {
            report(post, &failure);
            Attempt::Postponed
        }
        Postponed::Gone => Attempt::Settled,
        Postponed::Failed => Attempt::Failed {
            failure,
            counts: false,
        },
    }
}

/// Says what failed, without a payload.
fn report(post: &Post, failure: &Failure) {
    let target = &post.call.target;
    tracing::warn!(
        entity = %target.entity_type(),
        id = target.id(),
        command = %post.call.command,
        %failure,
        "a stored call was not delivered; it is tried again"
    );
}

async fn attempt(engine: &Arc<Engine>, post: &Post) -> Attempt {
    let shared = engine.shared();
    if shared.intake() != Intake::Open {
        return Attempt::Closed;
    }
    if post.call.hops > HOPS_MAX {
        return Attempt::Hopeless(format!("it was caused by {HOPS_MAX} effects in a row"));
    }
    let failure = match deliver(engine, post).await {
        Ok(()) => return Attempt::Settled,
        Err(Undelivered::Hopeless(reason)) => return Attempt::Hopeless(reason),
        Err(Undelivered::Failed(failure)) => failure,
    };
    match failure {
        Failure::Stopped | Failure::Fenced => Attempt::Closed,
        Failure::Encoding { .. }
        | Failure::TooLarge { .. }
        | Failure::Invalid { .. }
        | Failure::Deleted
        | Failure::NotHosted { .. } => Attempt::Hopeless(failure.to_string()),
        failure => match is_stored(shared, post).await {
            Some(false) => Attempt::Settled,
            Some(true) => Attempt::Failed {
                counts: !matches!(
                    failure,
                    Failure::Unavailable { .. } | Failure::OutcomeUnknown { .. }
                ),
                failure,
            },
            None => Attempt::Failed {
                counts: false,
                failure,
            },
        },
    }
}

enum Undelivered {
    Hopeless(String),
    Failed(Failure),
}

async fn deliver(engine: &Arc<Engine>, post: &Post) -> Result<(), Undelivered> {
    let shared = engine.shared();
    let call = &post.call;
    let addressed = address(engine, call);
    let (commands, mut letter) = addressed.map_err(Undelivered::Hopeless)?;
    let mut settles = Some(post.settles);
    if planted!(EffectGone) && !post.is_timer() {
        let gone = Tending::Pass(post.settles);
        let _ = shared.store.tend(shared.epoch(), vec![gone]).await;
        settles = None;
    }
    if planted!(EffectStays) && !post.is_timer() {
        settles = None;
    }
    if planted!(FiringStays) && post.is_timer() {
        settles = None;
    }
    letter.options.origin = Some(Box::new(Origin {
        settles,
        hops: call.hops,
    }));
    let Some(delivery) = commands.deliver(&call.command, letter) else {
        return Err(Undelivered::Hopeless(unknown_command(call)));
    };
    let delivered = delivery.await.map_err(Undelivered::Failed)?;
    if delivered.is_rejected {
        tracing::info!(
            entity = %call.target.entity_type(),
            id = call.target.id(),
            command = %call.command,
            "a stored call was rejected"
        );
    }
    Ok(())
}

/// Whether the store still has the call; `None` when it cannot be asked.
async fn is_stored(shared: &Shared, post: &Post) -> Option<bool> {
    match post.settles {
        Settled::Effect(number) => {
            let before = OutboxNumber::new(number.get().saturating_sub(1));
            let page = shared.store.effects(before, 1).await.ok()?;
            Some(page.first().is_some_and(|effect| effect.number == number))
        }
        // A timer that is gone cannot be postponed: see there.
        Settled::Timer { .. } => Some(true),
    }
}

/// Makes a dead letter; a failure means that the store could not.
async fn bury(shared: &Shared, post: &Post, reason: String, attempts: u32) -> Option<Failure> {
    let target = &post.call.target;
    let letter = Tending::Bury {
        call: post.settles,
        reason: reason.clone(),
        attempts,
    };
    match shared.store.tend(shared.epoch(), vec![letter]).await {
        Ok(_) => {
            tracing::error!(
                entity = %target.entity_type(),
                id = target.id(),
                command = %post.call.command,
                reason,
                "a stored call is given up; `Admin::dead_letters` lists it"
            );
            None
        }
        Err(CommitError::Fenced { .. }) => Some(Failure::Fenced),
        Err(error) => Some(Failure::unavailable(error.to_string())),
    }
}

impl Outbox {
    /// The next call of a pair; a pair that has none is forgotten.
    fn head(&self, pair: &Pair, generation: u64) -> Option<Arc<Post>> {
        let mut state = self.lock();
        if state.generation != generation {
            return None;
        }
        let head = state.queues.get(pair)?.posts.front().map(Arc::clone);
        if head.is_none() {
            state.queues.remove(pair);
        }
        head
    }

    /// Nobody takes calls any more: what a pair has stays in the store, and no reply waits for it.
    fn give_up(&self, pair: &Pair, generation: u64) {
        let mut state = self.lock();
        if state.generation != generation {
            return;
        }
        let queue = state.queues.remove(pair);
        for post in queue.iter().flat_map(|queue| &queue.posts) {
            state.known.remove(&post.identity());
        }
        drop(state);
        drop(queue);
    }

    /// The first call of a pair is settled.
    fn done(&self, pair: &Pair, post: &Arc<Post>, generation: u64) {
        let mut state = self.lock();
        if state.generation == generation {
            state.known.remove(&post.identity());
            if let Some(queue) = state.queues.get_mut(pair) {
                queue.is_resting = false;
                queue.posts.pop_front();
            }
        }
        let reads_on = state.has_more && state.known.is_empty();
        drop(state);
        post.answered();
        if post.is_timer() {
            self.bell.notify_one();
        }
        if reads_on {
            self.read_again();
        }
        self.moved.notify_waiters();
    }

    /// The pair waits before its next attempt, or no longer. Nobody's reply waits for a second
    /// attempt.
    fn rest(&self, pair: &Pair, post: &Arc<Post>, generation: u64, is_resting: bool) {
        let mut state = self.lock();
        if state.generation == generation
            && let Some(queue) = state.queues.get_mut(pair)
        {
            queue.is_resting = is_resting;
        }
        drop(state);
        post.answered();
        self.moved.notify_waiters();
    }

    /// A timer's failures are forgotten.
    fn forget_failures(&self, post: &Post) {
        if post.is_timer() {
            self.lock().failing.remove(&post.settles.number());
        }
    }

    fn wake(&self, pair: &Pair, generation: u64) {
        let mut state = self.lock();
        if state.generation == generation
            && let Some(queue) = state.queues.get_mut(pair)
        {
            queue.is_resting = false;
        }
    }
}
