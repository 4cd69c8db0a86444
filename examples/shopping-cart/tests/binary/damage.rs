//! Bytes that changed on the disk.

use std::fs;

use serde_json::json;

use crate::shop::{Lines, Shop};

/// Changes one bit behind each place where `text` is stored; answers how many there are.
fn flip(shop: &Shop, text: &str) -> usize {
    let path = shop.path("carts.db");
    let mut bytes = fs::read(&path).unwrap();
    let length = text.len();
    let places: Vec<usize> = (0..bytes.len() - length)
        .filter(|place| bytes[*place..].starts_with(text.as_bytes()))
        .collect();
    for place in &places {
        bytes[place + length - 1] ^= 1;
    }
    fs::write(path, bytes).unwrap();
    places.len()
}

fn filled() -> Shop {
    let shop = Shop::new();
    for (user, product) in [("alice", "red"), ("bob", "green"), ("carol", "blue")] {
        shop.run(&["add", user, "p1", "plain", "1"]).done();
        shop.run(&["add", user, "p2", product, "1"]).done();
    }
    shop
}

#[test]
fn verify_names_the_place_of_each_flipped_byte() {
    let shop = filled();
    let (red, blue) = (flip(&shop, "red"), flip(&shop, "blue"));
    // Once in the journal, and perhaps in the view of open carts.
    assert!((1..=2).contains(&red) && (1..=2).contains(&blue));
    let page = shop.run(&["verify"]).with_faults().stdout;
    assert!(page.contains("cart/alice: offset 2: "), "{page}");
    assert!(page.contains("cart/carol: offset 6: "), "{page}");
    assert!(!page.contains("cart/bob"), "{page}");
    let report = shop.run(&["verify", "--json"]).with_faults().json();
    let faults = report["faults"].as_array().unwrap();
    let place = |user: &str| faults.iter().find(|fault| fault["user"] == user);
    assert_eq!(place("alice").unwrap()["offset"], 2);
    assert_eq!(place("carol").unwrap()["offset"], 6);
    assert!(place("bob").is_none());
}

#[test]
fn one_damaged_cart_stops_and_the_others_go_on() {
    let shop = filled();
    assert!(flip(&shop, "red") >= 1);
    for args in [
        &["show", "alice"][..],
        &["add", "alice", "p3", "n", "1"],
        &["checkout", "alice"],
    ] {
        let said = shop.run(args).refused();
        assert!(said.contains("quarantined"), "{said}");
        assert!(said.contains("sequence number 2"), "{said}");
    }
    shop.run(&["add", "bob", "p3", "n", "1"]).done();
    shop.run(&["history", "carol"]).done();
    let lines = Lines::default().add("alice", "p4", 1).add("bob", "p4", 1);
    let ran = shop.run_on(&["replay", "-", "--json"], lines.text.as_bytes());
    let summary = ran.with_faults().json();
    assert_eq!(
        (&summary["accepted"], &summary["malformed"]),
        (&json!(1), &json!([]))
    );
    assert_eq!(summary["failed"][0]["line"], 1);
    assert_eq!(summary["failed"][0]["applied"], "no");
}

#[test]
fn a_flipped_byte_in_a_snapshot_is_found_and_loses_nothing() {
    let shop = Shop::new();
    let mut lines = Lines::default();
    for product in 0..100 {
        lines = lines.add("alice", &format!("p{product}"), 1);
    }
    shop.run_on(&["replay", "-"], lines.text.as_bytes()).done();
    let before = shop.cart("alice");
    // Two items side by side: only a snapshot holds that.
    assert!(flip(&shop, "name of p50\u{2}\u{3}p51") > 0);
    let page = shop.run(&["verify"]).with_faults().stdout;
    assert!(
        page.contains("cart/alice") && page.contains("snapshot"),
        "{page}"
    );
    assert_eq!(shop.cart("alice"), before);
}
