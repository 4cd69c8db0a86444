//! Why a runtime did not start.

use statefn_store::StoreFailure;

use crate::shape::ShapeError;

/// Why a runtime did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Two hosted types are stored under the same name.
    #[error("`{first}` and `{second}` are both stored as {name:?}: name one of them differently")]
    NameTaken {
        /// The name.
        name: &'static str,
        /// A Rust type of that name.
        first: &'static str,
        /// Another one.
        second: &'static str,
    },
    /// Two hosted actions have the same name.
    #[error("two actions are called {name:?}: name one of them differently")]
    ActionTaken {
        /// The name.
        name: &'static str,
    },
    /// `build` was called outside a tokio runtime, and no [`Env`](crate::env::Env) was given.
    #[error("no async runtime: call `build` inside `#[statefn::main]` or a tokio runtime")]
    NoAsyncRuntime,
    /// The async runtime was built without timers, so nothing could ever be late.
    #[error("the tokio runtime has no timers: build it with `enable_time` or `enable_all`")]
    NoTimers,
    /// Two projections have one name.
    #[error("`{first}` and `{second}` are both projections called `{name}`")]
    ProjectionTaken {
        /// The name.
        name: String,
        /// One Rust type.
        first: &'static str,
        /// The other one.
        second: &'static str,
    },
    /// The stored rows of a projection have another form than those of this program's views.
    #[error(
        "the rows of projection `{name}` version {version} are stored in another form than its views \
         have now: give it another version, which is built beside this one"
    )]
    ViewChanged {
        /// The projection.
        name: String,
        /// Its version.
        version: u32,
    },
    /// The shape of a hosted type's state cannot be traced.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The store could not be claimed.
    #[error("the store cannot be claimed")]
    Store(#[source] StoreFailure),
}
