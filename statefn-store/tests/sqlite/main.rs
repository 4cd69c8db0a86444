//! The SQLite store as its users and operators meet it: bad files, damage, torn files, its format,
//! its tools.
#![cfg(all(feature = "sqlite", feature = "testing"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking, as tests do"
)]

#[path = "../sqlite_support/mod.rs"]
mod sqlite_support;

mod damaged;
mod erased;
mod format;
mod format_views;
mod history;
mod opening;
mod operators;
mod torn;
