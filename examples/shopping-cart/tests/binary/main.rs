//! The program as its users run it: the real binary on real files.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test a surprise is a failure"
)]

mod carts;
mod damage;
mod ids;
mod keys;
mod killed;
mod lines;
mod operate;
mod places;
mod replay;
mod shop;
mod top;
mod tour;
mod usage;
