//! What test programs and the tests that start them have in common.

#[cfg(unix)]
pub mod crash;
#[cfg(target_os = "linux")]
pub mod load;
