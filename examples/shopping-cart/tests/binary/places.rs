//! `--data`: places where no cart can be kept.

use std::fs;

use crate::shop::{BINARY, Running, Shop, run};

/// What the program says of `--data PLACE`; it exits with 1.
fn refusal(shop: &Shop, place: &str) -> String {
    run(shop.bare(&["show", "alice", "--data", place]), b"").refused()
}

#[test]
fn only_plain_paths_are_taken() {
    let shop = Shop::new();
    for place in ["file:x", "file:x?mode=memory", "FILE:x", ":memory:"] {
        let said = refusal(&shop, place);
        assert!(said.contains("is not a plain file path"), "{said}");
    }
    assert_eq!(shop.folder().read_dir().unwrap().count(), 0);
    let plain = shop.bare(&["show", "alice", "--data", "./file:x"]);
    run(plain, b"").done();
}

#[test]
fn a_missing_folder_is_named() {
    let shop = Shop::new();
    let said = refusal(&shop, "nowhere/carts.db");
    assert!(
        said.contains("the folder \"nowhere\" does not exist; create it first"),
        "{said}"
    );
    assert!(refusal(&shop, ".").contains("is a folder"));
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let shop = Shop::new();
    for content in ["hello\n", &"x".repeat(100_000)] {
        shop.file("carts.db", content);
        for args in [
            &["show", "alice"][..],
            &["add", "a", "p", "n", "1"],
            &["verify"],
        ] {
            let said = shop.run(args).refused();
            assert!(said.contains("is not a SQLite database"), "{said}");
        }
        assert_eq!(fs::read_to_string(shop.path("carts.db")).unwrap(), content);
    }
}

/// Writes a number into the header of a SQLite file (<https://www.sqlite.org/fileformat.html>).
fn set_header(shop: &Shop, place: usize, number: u32) {
    let mut bytes = fs::read(shop.path("carts.db")).unwrap();
    bytes[place..place + 4].copy_from_slice(&number.to_be_bytes());
    fs::write(shop.path("carts.db"), bytes).unwrap();
}

#[test]
fn a_database_of_a_newer_program_or_of_another_one_is_left_alone() {
    const USER_VERSION: usize = 60;
    const APPLICATION_ID: usize = 68;
    for (place, number, reason) in [
        (
            USER_VERSION,
            999,
            "has format 999; this program knows formats up to",
        ),
        (APPLICATION_ID, 7, "not a statefn store"),
    ] {
        let shop = Shop::new();
        shop.run(&["add", "alice", "p1", "Deluxe", "5"]).done();
        set_header(&shop, place, number);
        let before = fs::read(shop.path("carts.db")).unwrap();
        for args in [&["show", "alice"][..], &["checkout", "alice"], &["verify"]] {
            let said = shop.run(args).refused();
            assert!(said.contains(reason), "{said}");
        }
        assert_eq!(fs::read(shop.path("carts.db")).unwrap(), before);
    }
}

#[test]
fn a_second_process_is_refused_and_the_first_goes_on() {
    let shop = Shop::new();
    let line = |product| crate::shop::Lines::default().add("alice", product, 1).text;
    let mut first = Running::start(shop.command(&["replay", "-", "--outcomes", "--json"]));
    first.write(line("p1").as_bytes());
    assert!(first.line().unwrap().contains("accepted"));
    for args in [
        &["show", "alice"][..],
        &["add", "a", "p", "n", "1"],
        &["verify"],
    ] {
        let said = shop.run(args).refused();
        assert!(said.contains("is open already"), "{said}");
    }
    first.write(line("p2").as_bytes());
    assert!(first.line().unwrap().contains("accepted"));
    first.end().done();
    assert_eq!(shop.cart("alice")["items"].as_array().unwrap().len(), 2);
}

#[cfg(unix)]
#[test]
fn two_names_of_one_database_are_one_database() {
    let shop = Shop::new();
    shop.run(&["checkout", "alice"]).done();
    std::os::unix::fs::symlink("carts.db", shop.path("link.db")).unwrap();
    let mut first = Running::start(shop.command(&["replay", "-", "--outcomes"]));
    first.write(b"{\"op\":\"checkout\",\"user\":\"bob\"}\n");
    first.line().unwrap();
    assert!(refusal(&shop, "link.db").contains("is open already"));
    first.end().done();
}

/// Not even root may make files there.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_without_permission_is_named() {
    let said = refusal(&Shop::new(), "/sys/carts.db");
    assert!(
        said.contains("no permission to read and write \"/sys/carts.db"),
        "{said}"
    );
}

/// A limit on the size of files stands for a disk that is full: writes fail in the same place.
#[cfg(target_os = "linux")]
#[test]
fn on_a_disk_that_is_full_a_command_fails_and_nothing_is_lost() {
    let shop = Shop::new();
    shop.run(&["add", "alice", "p1", "Deluxe", "5"]).done();
    let before = shop.cart("alice");
    let mut shell = std::process::Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 128; exec \"$0\" --data carts.db \"$@\"";
    let name = "n".repeat(100_000);
    shell.args(["-c", script, BINARY, "add", "alice", "p2", &name, "1"]);
    shell.current_dir(shop.folder());
    let said = run(shell, b"").refused();
    assert!(said.contains("carts.db"), "{said}");
    assert_eq!(shop.cart("alice"), before);
    assert_eq!(shop.entries(), 1);
    shop.run(&["add", "alice", "p2", &name, "1"]).done();
}
