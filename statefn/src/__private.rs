//! Plumbing for the macros. No promises to anybody else.

pub use inventory;
pub use serde;
pub use tokio;

pub use crate::call::Handle;
pub use crate::definition::Registration;
