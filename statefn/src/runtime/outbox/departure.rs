//! Forwards on their way: what a committed command has left to another one.

use std::any::Any;
use std::sync::{Arc, Weak};

use tracing::Instrument;

use super::address::{address, unknown_command};
use crate::call_error::Failure;
use crate::runtime::deadline::Deadline;
use crate::runtime::engine::Engine;
use crate::runtime::isolate::wake;
use crate::runtime::slot::Departure;

/// Makes the call, in a task. Whatever becomes of that, the caller is answered.
pub(in crate::runtime) fn depart(departure: Box<dyn Departure>) {
    let runtime = departure.forwarding().runtime.as_ref();
    let engine = runtime.and_then(Weak::upgrade);
    let engine = engine.and_then(|runtime| runtime.downcast::<Engine>().ok());
    let mut traveler = Traveler(Some(departure));
    let Some(engine) = engine else {
        return traveler.end(Err(Failure::Stopped));
    };
    let env = Arc::clone(&engine.shared().env);
    let span = traveler.span();
    let travel = async move {
        let answer = traveler.travel(&engine).await;
        let shared = Arc::clone(engine.shared());
        drop(engine);
        traveler.end(answer);
        // Whoever waits for the end of everything under way may look again.
        shared.stirred.notify_one();
    };
    env.spawn(Box::pin(travel.instrument(span)));
}

/// One that has departed; it has arrived at the latest when it is dropped.
struct Traveler(Option<Box<dyn Departure>>);

type Arrived = Result<Box<dyn Any + Send>, Failure>;

impl Traveler {
    fn span(&self) -> tracing::Span {
        let departure = self.0.as_ref();
        departure.map_or_else(tracing::Span::none, |d| d.forwarding().span.clone())
    }

    async fn travel(&self, engine: &Arc<Engine>) -> Arrived {
        let Some(departure) = &self.0 else {
            return Err(Failure::Stopped);
        };
        let forwarding = departure.forwarding();
        let route = &forwarding.route;
        let limits = &engine.shared().limits;
        // A retry may have another caller than the first call.
        let chain = &forwarding.chain;
        chain.admit(&route.call.target, limits.call_depth_max)?;
        let nowhere = |reason: String| Failure::Invalid {
            what: "forward",
            reason: reason.into(),
        };
        let (commands, mut letter) = address(engine, &route.call).map_err(nowhere)?;
        letter.options.key.clone_from(&route.key);
        letter.options.deadline = Deadline::new(Some(forwarding.until));
        letter.options.caller = Some(Arc::clone(chain));
        match commands.forward(&route.call.command, letter) {
            Some(answer) => Ok(answer.await),
            None => Err(nowhere(unknown_command(&route.call))),
        }
    }

    fn end(&mut self, answer: Arrived) {
        let departure = self.0.take();
        if let Some(waker) = departure.and_then(|departure| departure.arrive(answer)) {
            wake(waker);
        }
    }
}

impl Drop for Traveler {
    fn drop(&mut self) {
        self.end(Err(Failure::unknown("the task of the forward was dropped")));
    }
}
