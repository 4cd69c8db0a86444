//! How a caller waits for an answer, and what the answer says.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use statefn::Call;
use statefn::command::{MayWrite, Operation};
use statefn::prelude::*;
use statefn::testing::oracle::ATTEMPT_HEADER;

use crate::crash::ledger::{Refusal, View};
use crate::crash::report::{Answer, Reason};

/// The answer of a call; `None` for one who has left.
type Heard<R, E> = Option<Result<R, CallError<E>>>;

/// How a caller waits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Manner {
    /// In a task.
    Awaits,
    /// In a thread of its own.
    Blocks,
    /// Not at all, unless the answer is there at once.
    Leaves,
}

impl Manner {
    pub(super) async fn ask<O: Operation>(self, call: Call<O>) -> Heard<O::Reply, O::Error> {
        match self {
            Self::Awaits => Some(call.await),
            Self::Blocks => Some(call.wait()),
            Self::Leaves => {
                let mut running = call.into_future();
                poll_fn(|cx| match Pin::new(&mut running).poll(cx) {
                    Poll::Ready(answer) => Poll::Ready(Some(answer)),
                    Poll::Pending => Poll::Ready(None),
                })
                .await
            }
        }
    }
}

/// What a command is sent with.
pub(super) struct Dressed {
    pub(super) header: String,
    pub(super) key: Option<String>,
    pub(super) deadline: Option<Duration>,
    pub(super) manner: Manner,
}

impl Dressed {
    pub(super) async fn ask<O: Operation<Mode: MayWrite>>(
        self,
        call: Call<O>,
    ) -> Heard<O::Reply, O::Error> {
        let mut call = call.with_metadata(ATTEMPT_HEADER, self.header);
        if let Some(key) = self.key {
            call = call.with_key(key);
        }
        if let Some(deadline) = self.deadline {
            call = call.with_deadline(deadline);
        }
        self.manner.ask(call).await
    }
}

pub(super) fn posted(heard: Heard<View, Refusal>) -> Answer {
    match heard {
        Some(Ok(view)) => Answer::Posted(view),
        Some(Err(CallError::Rejected(Refusal(view)))) => Answer::Refused(view),
        Some(Err(error)) => machinery(&error),
        None => Answer::Unknown,
    }
}

pub(super) fn seen<E: std::fmt::Debug>(heard: Heard<View, E>) -> Answer {
    match heard {
        Some(Ok(view)) => Answer::Seen(view),
        Some(Err(error)) => machinery(&error),
        None => Answer::Unknown,
    }
}

pub(super) fn cursed<E: std::fmt::Debug>(heard: Heard<View, E>) -> Answer {
    match heard {
        Some(Ok(view)) => Answer::Odd(format!("a cursed command was answered with {view:?}")),
        Some(Err(error)) => machinery(&error),
        None => Answer::Unknown,
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
