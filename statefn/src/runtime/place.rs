//! Where a write lies while it waits for its commit.

/// Where a member lies in the pipeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Number of the batch, rising by one a batch.
    pub(super) batch: u64,
    /// Index of the member within it.
    pub(super) member: usize,
}
