//! `backup` and `verify` of a sound database.

use std::fs;

use serde_json::json;

use crate::shop::{Lines, Shop, run};

fn filled() -> Shop {
    let shop = Shop::new();
    let mut lines = Lines::default().checkout("bob");
    for round in 0..250 {
        lines = lines.add("alice", &format!("p{}", round % 9), 1);
    }
    shop.run_on(&["replay", "-"], lines.text.as_bytes()).done();
    shop
}

#[test]
fn a_backup_opens_and_shows_the_same_carts() {
    let shop = filled();
    let done = shop.run(&["backup", "copy.db"]).done();
    assert_eq!(done.stdout, "The copy is in copy.db.\n");
    shop.run(&["add", "alice", "late", "n", "1"]).done();
    for args in [
        &["show", "alice", "--json"][..],
        &["history", "bob"],
        &["verify", "--json"],
    ] {
        let copy = run(shop.bare(&[&["--data", "copy.db"], args].concat()), b"").done();
        let original = shop.run(args).done();
        let is_changed = args[0] != "history";
        assert_eq!(copy.stdout != original.stdout, is_changed, "{copy:?}");
        assert!(!copy.stdout.contains("late"));
    }
    let copied = run(shop.bare(&["--data", "copy.db", "verify", "--json"]), b"").done();
    assert_eq!(copied.json()["entries"], 251);
    let done = shop.run(&["backup", "second.db", "--json"]).done();
    assert_eq!(done.json(), json!({"backup": "second.db"}));
}

#[test]
fn a_backup_replaces_nothing() {
    let shop = filled();
    shop.file("taken.db", "mine");
    for target in ["taken.db", "carts.db", "."] {
        let said = shop.run(&["backup", target]).refused();
        assert!(
            said.starts_with("shopping-cart: no backup was made: "),
            "{said}"
        );
    }
    assert_eq!(fs::read(shop.path("taken.db")).unwrap(), b"mine");
    let said = shop.run(&["backup", "nowhere/copy.db"]).refused();
    assert!(
        said.contains("the folder \"nowhere\" does not exist"),
        "{said}"
    );
    assert_eq!(shop.entries(), 251);
}

#[test]
fn what_is_not_there_is_neither_copied_nor_found_sound() {
    let shop = Shop::new();
    for args in [&["verify"][..], &["backup", "copy.db"]] {
        let said = shop.run(args).refused();
        assert_eq!(said, "shopping-cart: there is no database carts.db");
    }
    assert_eq!(shop.folder().read_dir().unwrap().count(), 0);
}

#[test]
fn verify_counts_what_it_checked_and_finds_nothing_wrong() {
    let shop = filled();
    let page = shop.run(&["verify"]).done().stdout;
    assert_eq!(
        page,
        "Checked: carts 2, journal entries 251, snapshots 1.\nNothing is wrong.\n"
    );
    let report = shop.run(&["verify", "--json"]).done().json();
    let expected = json!({"carts": 2, "entries": 251, "snapshots": 1, "faults": []});
    assert_eq!(report, expected);
}
