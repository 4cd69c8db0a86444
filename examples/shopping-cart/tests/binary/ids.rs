//! Users and products with names that break careless programs.

use serde_json::json;

use crate::shop::Shop;

const ODD: [&str; 9] = [
    "O'Brien \"the\" 2nd",
    "; DROP TABLE journal; --",
    "🍷🍷",
    "cart/alice",
    "a%_\\",
    " ",
    "line\nbreak",
    "e\u{301}",
    "\u{e9}",
];

#[test]
fn odd_names_are_names() {
    let shop = Shop::new();
    for (index, odd) in ODD.iter().enumerate() {
        let quantity = (index + 1).to_string();
        shop.run(&["add", odd, odd, odd, &quantity]).done();
    }
    for (index, odd) in ODD.iter().enumerate() {
        let items = json!([{"product_id": odd, "name": odd, "quantity": index + 1}]);
        let expected = json!({"user": odd, "checked_out": false, "items": items});
        assert_eq!(shop.cart(odd), expected, "no two of them are one");
    }
    assert_eq!(shop.entries(), ODD.len() as u64);
}

#[test]
fn a_name_cannot_command_the_terminal_or_fake_a_line() {
    let shop = Shop::new();
    let evil = "x\u{1b}[2J\nCart of bob:";
    let added = shop.run(&["add", evil, evil, evil, "1"]).done().stdout;
    let shown = shop.run(&["show", evil]).done().stdout;
    let history = shop.run(&["history", evil]).done().stdout;
    let refusal = shop.run(&["add", evil, evil, evil, "0"]).refused();
    for text in [&added, &shown, &history, &refusal] {
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert!(!text.contains("\nCart of bob"), "{text:?}");
    }
}

#[test]
fn an_empty_user_is_not_understood() {
    let shop = Shop::new();
    for args in [
        &["add", "", "p", "n", "1"][..],
        &["remove", "", "p"],
        &["checkout", ""],
        &["show", ""],
        &["history", ""],
    ] {
        let said = shop.run(args).not_understood();
        assert!(said.contains("a user needs a name"), "{said}");
    }
    assert!(!shop.path("carts.db").exists());
}

#[test]
fn a_user_has_up_to_a_kibibyte() {
    let shop = Shop::new();
    let longest = "🍷".repeat(256);
    assert_eq!(longest.len(), 1024);
    shop.run(&["add", &longest, "p", "n", "1"]).done();
    assert_eq!(shop.cart(&longest)["user"], longest);
    let longer = format!("{longest}u");
    let said = shop.run(&["show", &longer]).not_understood();
    assert!(
        said.contains("it has 1025 bytes, at most 1024 are possible"),
        "{said}"
    );
}

#[test]
fn products_and_names_may_be_empty_or_long() {
    let shop = Shop::new();
    let long = "n".repeat(100_000);
    shop.run(&["add", "alice", "", "", "1"]).done();
    shop.run(&["add", "alice", &long, &long, "1"]).done();
    assert_eq!(shop.cart("alice")["items"][0]["product_id"], "");
    assert_eq!(shop.cart("alice")["items"][1]["name"], long);
    shop.run(&["remove", "alice", ""]).done();
}

#[cfg(unix)]
#[test]
fn bytes_that_are_no_utf_8_are_not_understood() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let odd = OsStr::from_bytes(b"a\xff");
    let said = Shop::new().run(&[OsStr::new("show"), odd]).not_understood();
    assert!(said.contains("invalid UTF-8"), "{said}");
}
