//! The command line itself: exit codes, help, and what a mistake leaves behind.

use crate::shop::{Shop, run};

#[test]
fn what_is_not_understood_exits_with_2_and_touches_nothing() {
    let shop = Shop::new();
    for args in [
        &["frobnicate"][..],
        &["--frobnicate"],
        &["add"],
        &["add", "alice", "p1", "Deluxe"],
        &["add", "alice", "p1", "Deluxe", "many"],
        &["add", "alice", "p1", "Deluxe", "1.5"],
        &["add", "alice", "p1", "Deluxe", "9223372036854775808"],
        &["add", "alice", "p1", "Deluxe", "1", "more"],
        &["remove", "alice"],
        &["show"],
        &["replay"],
        &["replay", "x", "--concurrency", "0"],
        &["replay", "x", "--concurrency", "10001"],
        &["replay", "x", "--keys-name", ""],
        &["replay", "-", "--keys"],
        &["backup"],
        &["verify", "alice"],
        &["--json"],
    ] {
        let said = shop.run(args).not_understood();
        assert!(!said.is_empty(), "{args:?}");
    }
    assert_eq!(shop.folder().read_dir().unwrap().count(), 0);
}

#[test]
fn help_is_an_answer() {
    let shop = Shop::new();
    for args in [
        &["--help"][..],
        &["help", "replay"],
        &["replay", "--help"],
        &["--version"],
    ] {
        let said = run(shop.bare(args), b"").done().stdout;
        assert!(said.to_lowercase().contains("cart"), "{said}");
    }
    assert_eq!(shop.folder().read_dir().unwrap().count(), 0);
}

#[test]
fn the_database_is_shopping_cart_db_in_the_current_folder_unless_told_otherwise() {
    let shop = Shop::new();
    run(shop.bare(&["add", "alice", "p1", "Deluxe", "5"]), b"").done();
    assert!(shop.path("shopping-cart.db").exists());
    let elsewhere = shop.bare(&["--data", "shopping-cart.db", "show", "alice"]);
    assert!(run(elsewhere, b"").done().stdout.contains("5 x Deluxe"));
    let other = shop.bare(&["show", "alice", "--data", "other.db"]);
    assert!(run(other, b"").done().stdout.contains("empty"));
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_printed_is_no_success() {
    use std::fs::OpenOptions;
    use std::process::Stdio;

    let shop = Shop::new();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = shop.command(&["show", "alice"]);
    let ended = command
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("cannot write to standard output"), "{said}");
}
