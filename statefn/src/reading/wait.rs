//! Waiting for a projection.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use statefn_store::Offset;

use super::ReadError;
use crate::projection::{KeptView, Projection};
use crate::runtime::projector::{Projector, Standing};
use crate::runtime::shared::Shared;

/// Waits until the projection of `V` has begun and, unless `wanted` is the beginning, has folded
/// everything up to there and serves.
pub(super) async fn until<V: KeptView>(
    shared: &Shared,
    projector: &Projector,
    wanted: Offset,
    wait: Duration,
) -> Result<(), ReadError> {
    let mut standing = projector.standing();
    if let Some(done) = judge::<V>(&standing.borrow_and_update(), wanted) {
        return done;
    }
    let mut late = shared.env.sleep(wait);
    loop {
        let is_late = {
            let mut moved = pin!(standing.changed());
            poll_fn(|cx| match moved.as_mut().poll(cx) {
                Poll::Ready(_) => Poll::Ready(false),
                Poll::Pending => late.as_mut().poll(cx).map(|()| true),
            })
            .await
        };
        let now = standing.borrow_and_update().clone();
        if let Some(done) = judge::<V>(&now, wanted) {
            return done;
        }
        if is_late {
            return Err(ReadError::Behind {
                projection: <V::Projection as Projection>::NAME,
                offset: now.offset.unwrap_or_default(),
                wanted,
            });
        }
    }
}

/// Whether the waiting is over.
fn judge<V: KeptView>(standing: &Standing, wanted: Offset) -> Option<Result<(), ReadError>> {
    let projection = <V::Projection as Projection>::NAME;
    if standing.has_ended {
        return Some(Err(ReadError::Ended));
    }
    let offset = standing.offset?;
    if wanted == Offset::ZERO || (offset >= wanted && standing.serves) {
        return Some(Ok(()));
    }
    let at = standing.stopped.clone()?;
    Some(Err(ReadError::Stopped { projection, at }))
}
