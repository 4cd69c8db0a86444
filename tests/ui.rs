//! What the macros say about mistakes.
//!
//! `ui/fail/<attribute>/<mistake>.rs` must not compile, and the compiler must say what the file
//! beside it (`.stderr`) holds. Those texts are the compiler's as well as ours, so they are compared
//! on one toolchain only; elsewhere this prints that it did not compare. After a deliberate change:
//! `TRYBUILD=overwrite cargo test -p statefn-tests --test ui`, then read every text that changed.

use std::process::Command;

/// The compiler whose words the `.stderr` files hold.
const COMPILER: &str = "rustc 1.95.";

fn is_the_recorded_compiler() -> bool {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    Command::new(rustc)
        .arg("--version")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with(COMPILER))
}

#[test]
fn every_mistake_is_explained_where_it_is() {
    if !is_the_recorded_compiler() {
        eprintln!("not compared: the recorded messages are those of {COMPILER}x");
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/fail/*.rs");
    cases.compile_fail("ui/fail/*/*.rs");
}
