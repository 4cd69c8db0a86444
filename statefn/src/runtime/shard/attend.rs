//! The part of a shard's shell that runs async commands.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use statefn_store::PersistenceId;
use tracing::Instrument;

use super::{Input, Shard, store_work};
use crate::env::BoxFuture;
use crate::runtime::isolate::discard;
use crate::runtime::slot::Course;
use crate::runtime::stop::Stop;

/// Runs an async command in a task.
pub(super) fn handle(
    shard: &Arc<Shard>,
    id: PersistenceId,
    incarnation: u64,
    course: Box<dyn Course>,
    stop: Arc<Stop>,
) {
    let runtime = shard.shared();
    let until = course.until(runtime.limits.call_timeout);
    let span = course.span();
    let attended = Attended {
        late: runtime.env.sleep(until.saturating_sub(runtime.env.now())),
        course: Some(course),
        stop,
    };
    let attended = Box::pin(attended.instrument(span));
    store_work::spawn(shard, attended, move |course| Input::Handled {
        id,
        incarnation,
        course: course.ok().flatten(),
    });
}

/// An async command until it has ended, is late, or is told to stop.
struct Attended {
    course: Option<Box<dyn Course>>,
    late: BoxFuture,
    stop: Arc<Stop>,
}

impl Future for Attended {
    /// The command, unless it was told to stop: then nobody waits for it.
    type Output = Option<Box<dyn Course>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.stop.is_stopped(cx) {
            discard(this.course.take());
            return Poll::Ready(None);
        }
        let Some(course) = &mut this.course else {
            return Poll::Ready(None);
        };
        if course.poll(cx).is_pending() {
            if this.late.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            course.abandon();
        }
        Poll::Ready(this.course.take())
    }
}

impl Drop for Attended {
    /// The handler's own code may panic when it is dropped.
    fn drop(&mut self) {
        if let Some(course) = self.course.take() {
            discard(course);
        }
    }
}
