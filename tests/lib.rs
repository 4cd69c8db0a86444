//! Black-box and repository tests.
