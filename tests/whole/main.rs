//! Entities that are stored whole, in several versions: programs that follow one another, which one
//! runtime could not host together.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod changed_shape;
mod readme;
