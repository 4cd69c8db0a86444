//! Async commands hold every promise that sync ones do.

mod calls;
mod cancelled;
mod courier;
mod held;
mod whole;
