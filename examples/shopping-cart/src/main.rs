//! The shopping cart.
fn main() {}
