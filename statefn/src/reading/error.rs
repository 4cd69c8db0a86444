//! Why a view could not be read.

use std::sync::Arc;

use statefn_store::{Offset, StoreFailure};

use crate::codec::DecodeError;
use crate::runtime::projector::StoppedAt;

/// Why a view could not be read. A read changes nothing, so each of them may be tried again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The projection has not come far enough in time.
    #[error("projection {projection} stands at offset {offset}, not at {wanted} yet")]
    Behind {
        /// The projection.
        projection: &'static str,
        /// Where it stands.
        offset: Offset,
        /// Where it was waited for.
        wanted: Offset,
    },
    /// The projection has stopped before the position that was waited for: an operator decides. What
    /// it has folded so far can be read without waiting.
    #[error("projection {projection} has stopped at offset {}: {}", .at.offset, .at.reason)]
    Stopped {
        /// The projection.
        projection: &'static str,
        /// The entry at which it stopped, and why.
        at: Arc<StoppedAt>,
    },
    /// The program has another version of the projection, which is still being built, and the rows of
    /// the older one have another form than this program knows.
    #[error("projection {projection} is being built: {offset} of {end} entries are folded")]
    Rebuilding {
        /// The projection.
        projection: &'static str,
        /// How far it is.
        offset: Offset,
        /// Where the journal ends.
        end: Offset,
    },
    /// This runtime does not run the projection that keeps the view.
    #[error("this runtime does not run projection {projection}")]
    NotHosted {
        /// The projection.
        projection: &'static str,
    },
    /// A stored row cannot be decoded.
    #[error("a row of view {view} cannot be read")]
    Row {
        /// The view.
        view: &'static str,
        /// What the codec said.
        #[source]
        source: DecodeError,
    },
    /// The store cannot be read.
    #[error("the store is unavailable")]
    Unavailable(#[source] StoreFailure),
    /// The runtime has ended.
    #[error("the runtime has ended")]
    Ended,
}
