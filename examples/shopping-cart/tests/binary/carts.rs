//! `add`, `remove`, `checkout`, `show` and `history`.

use serde_json::{Value, json};

use crate::shop::Shop;

#[test]
fn add_answers_how_many_are_there_now() {
    let shop = Shop::new();
    let first = shop.run(&["add", "alice", "p1", "Deluxe", "5"]).done();
    assert_eq!(first.stdout, "5 of p1 in the cart of alice.\n");
    let second = shop.run(&["add", "alice", "p1", "Deluxe", "2"]).done();
    assert_eq!(second.stdout, "7 of p1 in the cart of alice.\n");
}

#[test]
fn adding_again_sums_the_quantities_and_keeps_the_first_name() {
    let shop = Shop::new();
    shop.run(&["add", "alice", "p1", "Deluxe", "5"]).done();
    shop.run(&["add", "alice", "p1", "Other", "2"]).done();
    let items = json!([{"product_id": "p1", "name": "Deluxe", "quantity": 7}]);
    assert_eq!(shop.cart("alice")["items"], items);
}

#[test]
fn items_come_in_the_order_of_first_insertion() {
    let shop = Shop::new();
    for product in ["z", "a", "m", "a", "z"] {
        shop.run(&["add", "alice", product, "n", "1"]).done();
    }
    assert_eq!(products(&shop, "alice"), ["z", "a", "m"]);
    shop.run(&["remove", "alice", "z"]).done();
    shop.run(&["add", "alice", "z", "n", "1"]).done();
    assert_eq!(products(&shop, "alice"), ["a", "m", "z"]);
}

fn products(shop: &Shop, user: &str) -> Vec<String> {
    let cart = shop.cart(user);
    let items = cart["items"].as_array().unwrap().iter();
    items
        .map(|item| item["product_id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_quantity_of_zero_or_less_is_rejected_and_stores_nothing() {
    let shop = Shop::new();
    for quantity in ["0", "-1", "-9223372036854775808"] {
        let reason = shop.run(&["add", "alice", "p1", "Deluxe", quantity]);
        let expected = format!("quantity of p1 must be positive, not {quantity}");
        assert_eq!(reason.refused(), expected);
    }
    assert_eq!(shop.entries(), 0);
}

#[test]
fn a_sum_that_overflows_is_rejected_and_leaves_the_cart_as_it_was() {
    let shop = Shop::new();
    let most = i64::MAX.to_string();
    shop.run(&["add", "alice", "p1", "Deluxe", &most]).done();
    let reason = shop.run(&["add", "alice", "p1", "Deluxe", "1"]).refused();
    assert_eq!(reason, "that is more of p1 than can be counted");
    assert_eq!(shop.cart("alice")["items"][0]["quantity"], i64::MAX);
}

#[test]
fn removing_what_is_absent_is_rejected() {
    let shop = Shop::new();
    let reason = shop.run(&["remove", "alice", "p1"]).refused();
    assert_eq!(reason, "p1 is not in the cart");
    shop.run(&["add", "alice", "p1", "Deluxe", "5"]).done();
    let removed = shop.run(&["remove", "alice", "p1"]).done();
    assert_eq!(
        removed.stdout,
        "p1 is out of the cart of alice, 0 products left.\n"
    );
    shop.run(&["remove", "alice", "p1"]).refused();
}

#[test]
fn a_cart_that_is_checked_out_rejects_every_change() {
    let shop = Shop::new();
    shop.run(&["add", "alice", "p1", "Deluxe", "5"]).done();
    let done = shop.run(&["checkout", "alice"]).done();
    assert_eq!(done.stdout, "The cart of alice is checked out.\n");
    for change in [
        &["add", "alice", "p2", "Other", "1"][..],
        &["remove", "alice", "p1"],
        &["checkout", "alice"],
    ] {
        assert_eq!(
            shop.run(change).refused(),
            "the cart is checked out already"
        );
    }
    let shown = shop.run(&["show", "alice"]).done();
    assert_eq!(
        shown.stdout,
        "Cart of alice, checked out:\n       5 x Deluxe (p1)\n"
    );
    assert_eq!(shop.cart("alice")["checked_out"], true);
}

#[test]
fn a_rejection_is_an_object_on_stderr_for_programs() {
    let shop = Shop::new();
    let object = shop.run(&["remove", "alice", "p1", "--json"]).refused();
    let object: Value = serde_json::from_str(&object).unwrap();
    let expected = json!({"rejected": "not_in_cart", "message": "p1 is not in the cart"});
    assert_eq!(object, expected);
}

#[test]
fn show_prints_exactly_the_promised_object() {
    let shop = Shop::new();
    let empty = shop.run(&["show", "alice", "--json"]).done();
    assert_eq!(
        empty.stdout,
        "{\"user\":\"alice\",\"checked_out\":false,\"items\":[]}\n"
    );
    shop.run(&["add", "alice", "p1", "De\"luxe", "5"]).done();
    let full = shop.run(&["--json", "show", "alice"]).done();
    let item = r#"{"product_id":"p1","name":"De\"luxe","quantity":5}"#;
    let expected = format!("{{\"user\":\"alice\",\"checked_out\":false,\"items\":[{item}]}}\n");
    assert_eq!(full.stdout, expected);
}

#[test]
fn a_change_answers_the_cart_for_programs() {
    let shop = Shop::new();
    let changed = shop.run(&["add", "alice", "p1", "Deluxe", "5", "--json"]);
    assert_eq!(changed.done().json(), shop.cart("alice"));
    let changed = shop.run(&["checkout", "alice", "--json"]);
    assert_eq!(changed.done().json(), shop.cart("alice"));
}

fn busy() -> Shop {
    let shop = Shop::new();
    shop.run(&["add", "alice", "p1", "Deluxe", "5"]).done();
    shop.run(&["remove", "alice", "p2"]).refused();
    shop.run(&["remove", "alice", "p1"]).done();
    shop.run(&["checkout", "alice"]).done();
    shop
}

#[test]
fn history_prints_sequence_time_name_and_content_of_each_event() {
    let shop = busy();
    let text = shop.run(&["history", "alice"]).done().stdout;
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(
        (lines[0][0], &lines[0][2..]),
        ("1", &["ItemAdded", "5", "x", "Deluxe", "(p1)"][..])
    );
    assert_eq!(
        (lines[1][0], &lines[1][2..]),
        ("2", &["ItemRemoved", "p1"][..])
    );
    assert_eq!((lines[2][0], &lines[2][2..]), ("3", &["CheckedOut"][..]));
    for line in lines {
        assert!(is_instant(line[1]), "{text}");
    }
}

#[test]
fn history_prints_an_object_an_event_for_programs() {
    let events = busy()
        .run(&["history", "alice", "--json"])
        .done()
        .json_lines();
    let contents = [
        json!({"product_id": "p1", "name": "Deluxe", "quantity": 5}),
        json!({"product_id": "p1"}),
        json!({}),
    ];
    let names = ["ItemAdded", "ItemRemoved", "CheckedOut"];
    assert_eq!(events.len(), 3);
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["sequence"], index + 1);
        assert_eq!(event["event"], names[index]);
        assert_eq!(event["content"], contents[index]);
        assert!(is_instant(event["time"].as_str().unwrap()));
        assert_eq!(event.as_object().unwrap().len(), 4);
    }
}

/// `2026-11-24T18:05:09.123Z`.
fn is_instant(text: &str) -> bool {
    let form: String = text
        .chars()
        .map(|character| {
            if character.is_ascii_digit() {
                '0'
            } else {
                character
            }
        })
        .collect();
    form == "0000-00-00T00:00:00.000Z"
}

#[test]
fn a_user_without_a_past_has_an_empty_cart_and_history() {
    let shop = Shop::new();
    assert_eq!(
        shop.run(&["show", "bob"]).done().stdout,
        "Cart of bob: empty\n"
    );
    let history = shop.run(&["history", "bob"]).done().stdout;
    assert_eq!(history, "Nothing has happened to the cart of bob yet.\n");
    assert_eq!(shop.run(&["history", "bob", "--json"]).done().stdout, "");
    assert_eq!(shop.entries(), 0, "looking stores nothing");
}

#[test]
fn each_user_has_a_cart_of_their_own() {
    let shop = Shop::new();
    shop.run(&["add", "alice", "p1", "Deluxe", "5"]).done();
    shop.run(&["add", "bob", "p2", "Other", "1"]).done();
    assert_eq!(products(&shop, "alice"), ["p1"]);
    assert_eq!(products(&shop, "bob"), ["p2"]);
}
