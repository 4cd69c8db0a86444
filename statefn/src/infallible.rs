//! The error of what never fails.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The error type of a handler that does not return `Result`: there is no value of it.
///
/// Like [`std::convert::Infallible`], which is not `Serialize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Infallible {}

impl fmt::Display for Infallible {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Infallible {}
