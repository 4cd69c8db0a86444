//! Forwards: commands that another command answers.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use statefn_store::StoredCall;

use crate::call_error::Failure;
use crate::chain::Chain;
use crate::infallible::Infallible;
use crate::metadata::Metadata;

/// The answer of a handler that leaves it to another command: what
/// [`Context::forward`](crate::Context::forward) gives, to be returned.
///
/// A handler returns `Forward<T, E>`, or `Result<Forward<T, E>, E>` if it can say no by itself; its caller gets
/// what the target answers, `T` or the rejection `E`. Nothing is forwarded but the value that the
/// handler returns.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use statefn::prelude::*;
/// #[entity(crud)]
/// #[derive(Clone, Default, Serialize, Deserialize)]
/// pub struct Page { visits: u64 }
///
/// #[entity]
/// impl Page {
///     /// Counts a visit. An old page sends its visitors on.
///     #[command]
///     fn visit(&mut self, ctx: &mut Context<Self>, moved_to: Option<String>) -> Forward<u64> {
///         self.visits += 1;
///         match moved_to {
///             Some(page) => ctx.forward(ctx.entity::<Page>(page).visit(None)),
///             None => Forward::reply(self.visits),
///         }
///     }
/// }
///
/// # #[statefn::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = Runtime::builder().only::<(Page,)>().build().await?;
/// let old = runtime.entity::<Page>("old");
/// assert_eq!(old.visit(None).await, Ok(1));
/// assert_eq!(old.visit(Some("new".to_owned())).await, Ok(1));
/// assert_eq!(old.visit(Some("new".to_owned())).await, Ok(2));
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is forwarded unless the handler returns it"]
pub struct Forward<T, E = Infallible> {
    pub(crate) answer: Way<T>,
    error: PhantomData<fn() -> E>,
}

/// Who answers.
pub(crate) enum Way<T> {
    Here(T),
    There(Box<Destination>),
}

/// The call that answers, as the handler asked for it.
pub(crate) struct Destination {
    /// The target's type, for messages.
    pub(crate) entity_type: &'static str,
    /// As it is made and stored; or why it cannot be.
    pub(crate) call: Result<StoredCall, Failure>,
    /// The caller's own key for the target.
    pub(crate) key: Option<Box<str>>,
    /// The caller's own bound, from when the call is made.
    pub(crate) deadline: Option<Duration>,
    /// The command that forwards, and who waits for it.
    pub(crate) chain: Arc<Chain>,
}

impl<T, E> Forward<T, E> {
    /// Answers here after all.
    pub fn reply(reply: T) -> Self {
        Self {
            answer: Way::Here(reply),
            error: PhantomData,
        }
    }

    pub(crate) fn to(destination: Destination) -> Self {
        Self {
            answer: Way::There(Box::new(destination)),
            error: PhantomData,
        }
    }
}

impl<T, E> fmt::Debug for Forward<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.answer {
            Way::Here(_) => f.write_str("Forward::reply(..)"),
            Way::There(destination) => {
                let target = destination.call.as_ref().map(|call| &call.target);
                f.debug_tuple("Forward").field(&target).finish()
            }
        }
    }
}

/// A call that a handler can forward its caller to: what a method of a reference returns for a
/// command; see [`Context::forward`](crate::Context::forward).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot answer in the place of a handler",
    label = "this is not a call of a command",
    note = "forward to what a method of a reference returns for a `#[command]`, as in \
            `ctx.forward(ctx.entity::<Cart>(\"alice\").add_item(..))`; a query cannot be forwarded to"
)]
pub trait Forwardable {
    /// What the target replies.
    type Reply;
    /// The target's no.
    type Error;

    /// The call with what the forwarding command was sent.
    #[doc(hidden)]
    fn into_forward(self, by: Forwarder) -> Unmatched;
}

/// A forward whose types are not compared yet.
#[doc(hidden)]
pub struct Unmatched(pub(crate) Destination);

impl fmt::Debug for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unmatched(..)")
    }
}

/// What a target answers, where a handler answers `T`: the same.
#[diagnostic::on_unimplemented(
    message = "the target of a forward must answer what its handler answers",
    label = "the target answers `{Self}` where the handler answers `{T}`",
    note = "the handler's caller gets the target's reply or rejection as it is: return \
            `Forward<T, E>` or `Result<Forward<T, E>, E>` with the two types of the target"
)]
pub trait Answers<T> {}

impl<T: Serialize> Answers<T> for T {}

/// Nobody answers this; but since it might be, the compiler compares with what the handler returns
/// instead of taking over what the target does.
#[doc(hidden)]
#[derive(Debug)]
pub enum Nothing {}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Answers<Nothing> for T {}

/// The command that forwards, with what it was sent.
#[doc(hidden)]
#[derive(Debug)]
pub struct Forwarder {
    pub(crate) metadata: Metadata,
    pub(crate) chain: Arc<Chain>,
}
