//! Where a projection stands: what readers wait for.

use std::sync::Arc;

use statefn_store::Offset;

use super::status::StoppedAt;

/// Where a projection stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// Its rows are the fold of all entries up to here; `None` before that is known.
    pub(crate) offset: Option<Offset>,
    /// Under which number its rows are stored: rebuilding a version takes the other of two.
    pub(crate) stored_version: u32,
    /// Whether reads are answered from this version.
    pub(crate) serves: bool,
    /// Why it goes no further.
    pub(crate) stopped: Option<Arc<StoppedAt>>,
    /// Whether an entry waits for another attempt.
    pub(crate) is_failing: bool,
    /// Whether the runtime has ended.
    pub(crate) has_ended: bool,
}
