//! A handler of an action on encoded values: every kind of it is a stream of them to a stream of them.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ActionContext, HandlerInfo, Items};
use crate::codec::Codec;
use crate::runtime::isolate;

/// Why a handler of an action was not run to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// There is no such handler.
    #[error("no handler `{handler}` of an action `{action}` is hosted")]
    NotHosted {
        /// The action asked for.
        action: String,
        /// The handler asked for.
        handler: String,
    },
    /// The handler's own error, encoded.
    #[error("rejected")]
    Rejected(Vec<u8>),
    /// What came in cannot be decoded, or is missing. The handler saw no more of it.
    #[error("cannot decode {what}: {reason}")]
    Undecodable {
        /// What was expected.
        what: &'static str,
        /// What the codec said.
        reason: String,
    },
    /// What goes out cannot be encoded.
    #[error("cannot encode what the handler gave: {reason}")]
    Unencodable {
        /// What the codec said.
        reason: String,
    },
    /// The handler panicked.
    #[error("the handler panicked: {message}")]
    Panicked {
        /// The panic's message.
        message: Arc<str>,
    },
}

/// What a handler is run with: encoded values, and how they are encoded.
#[derive(Debug)]
pub struct Invocation {
    codec: Codec,
    input: Items<Vec<u8>>,
    /// The first value that could not be decoded.
    undecodable: Arc<OnceLock<ActionError>>,
}

impl Invocation {
    pub(crate) fn new(codec: Codec, input: Items<Vec<u8>>) -> Self {
        let undecodable = Arc::default();
        Self {
            codec,
            input,
            undecodable,
        }
    }

    /// How values are encoded, on the way in and out.
    #[doc(hidden)]
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The next value that came in: the arguments.
    #[doc(hidden)]
    pub async fn arguments<T: DeserializeOwned>(&mut self) -> Result<T, ActionError> {
        let Some(bytes) = self.input.next().await else {
            return Err(ActionError::Undecodable {
                what: "the arguments",
                reason: "they are missing".to_owned(),
            });
        };
        decode(self.codec, &bytes, "the arguments")
    }

    /// All values that come in from here on; they end at one that cannot be decoded, and then so
    /// does the answer.
    #[doc(hidden)]
    pub fn items<T: DeserializeOwned + Send + 'static>(&mut self) -> Items<T> {
        let input = std::mem::replace(&mut self.input, Items::of([]));
        let (codec, undecodable) = (self.codec, Arc::clone(&self.undecodable));
        Items::unfold(
            (input, undecodable),
            move |(mut input, undecodable)| async move {
                let bytes = input.next().await?;
                match decode(codec, &bytes, "an item") {
                    Ok(item) => Some((item, (input, undecodable))),
                    Err(error) => {
                        // Only the first one is decoded.
                        let _first = undecodable.set(error);
                        None
                    }
                }
            },
        )
    }
}

fn decode<T: DeserializeOwned>(
    codec: Codec,
    bytes: &[u8],
    what: &'static str,
) -> Result<T, ActionError> {
    codec
        .decode(bytes)
        .map_err(|error| ActionError::Undecodable {
            what,
            reason: error.to_string(),
        })
}

fn encode<T: Serialize>(codec: Codec, value: &T) -> Result<Vec<u8>, ActionError> {
    let mut bytes = Vec::new();
    match codec.encode(value, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(ActionError::Unencodable {
            reason: error.to_string(),
        }),
    }
}

type Output = Items<Result<Vec<u8>, ActionError>>;

/// What a handler gave, encoded.
#[doc(hidden)]
#[derive(Debug)]
pub struct Answered(Result<Output, ActionError>);

impl Answered {
    /// One value.
    pub fn one<T: Serialize>(codec: Codec, value: &T) -> Self {
        Self(encode(codec, value).map(|bytes| Items::of([Ok(bytes)])))
    }

    /// A value after another.
    pub fn items<T: Serialize + Send + 'static>(codec: Codec, items: Items<T>) -> Self {
        Self(Ok(Items::unfold(items, move |mut items| async move {
            let item = items.next().await?;
            Some((encode(codec, &item), items))
        })))
    }

    /// The handler's own error.
    pub fn rejected<E: Serialize>(codec: Codec, error: &E) -> Self {
        Self(Err(match encode(codec, error) {
            Ok(bytes) => ActionError::Rejected(bytes),
            Err(unencodable) => unencodable,
        }))
    }
}

impl From<ActionError> for Answered {
    fn from(error: ActionError) -> Self {
        Self(Err(error))
    }
}

type Running = Pin<Box<dyn Future<Output = Answered> + Send>>;

/// A handler of the action `A`.
#[doc(hidden)]
pub struct Handler<A> {
    info: HandlerInfo,
    begin: fn(Arc<A>, ActionContext, Invocation) -> Running,
}

impl<A> Handler<A> {
    /// A handler and how it runs.
    pub fn new(info: HandlerInfo, begin: fn(Arc<A>, ActionContext, Invocation) -> Running) -> Self {
        Self { info, begin }
    }

    pub(super) fn info(&self) -> HandlerInfo {
        self.info
    }

    /// Runs it; nothing happens before the first item is asked for.
    pub(super) fn run(&self, action: Arc<A>, ctx: ActionContext, invocation: Invocation) -> Output {
        let undecodable = Arc::clone(&invocation.undecodable);
        Items::new(Course {
            stage: Stage::Running((self.begin)(action, ctx, invocation)),
            undecodable,
        })
    }
}

impl<A> fmt::Debug for Handler<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.info, f)
    }
}

/// A handler while it runs. The last item is the first error.
struct Course {
    stage: Stage,
    undecodable: Arc<OnceLock<ActionError>>,
}

enum Stage {
    Running(Running),
    Answering(Output),
    Ended,
}

impl Stage {
    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>, ActionError>>> {
        loop {
            match self {
                Self::Ended => return Poll::Ready(None),
                Self::Answering(items) => return Pin::new(items).poll_next(cx),
                Self::Running(running) => match running.as_mut().poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Answered(Ok(items))) => *self = Self::Answering(items),
                    Poll::Ready(Answered(Err(error))) => return Poll::Ready(Some(Err(error))),
                },
            }
        }
    }
}

impl Stream for Course {
    type Item = Result<Vec<u8>, ActionError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let polled = catch_unwind(AssertUnwindSafe(|| this.stage.advance(cx)));
        let mut item = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(item)) => item,
            Err(panic) => {
                let message = isolate::message(panic);
                Some(Err(ActionError::Panicked { message }))
            }
        };
        // What was decided on a half of the input is no answer.
        if let Some(error) = this.undecodable.get()
            && !matches!(this.stage, Stage::Ended)
        {
            item = Some(Err(error.clone()));
        }
        if !matches!(item, Some(Ok(_))) {
            isolate::discard(std::mem::replace(&mut this.stage, Stage::Ended));
        }
        Poll::Ready(item)
    }
}
