//! `replay`: order, counts, summary.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::shop::{Lines, Shop};

#[test]
fn the_summary_for_programs_has_exactly_the_promised_fields() {
    let shop = Shop::new();
    let lines = Lines::default().add("alice", "p1", 5).remove("alice", "p2");
    shop.file("in.jsonl", lines.text);
    let ran = shop.run(&["replay", "in.jsonl", "--json"]).done();
    assert_eq!(ran.stdout.lines().count(), 1);
    let summary = ran.json();
    assert_eq!(summary["accepted"], 1);
    assert_eq!(summary["rejected"], json!({"not_in_cart": 1}));
    assert_eq!(summary["malformed"], json!([]));
    assert!(summary["seconds"].as_f64().unwrap() > 0.0);
    assert!(summary["commands_per_second"].as_f64().unwrap() > 0.0);
    let [p50, p99, p999] =
        ["p50_us", "p99_us", "p999_us"].map(|field| summary[field].as_u64().unwrap());
    assert!(0 < p50 && p50 <= p99 && p99 <= p999, "{summary}");
    assert_eq!(summary.as_object().unwrap().len(), 8, "{summary}");
}

#[test]
fn the_summary_for_people_counts_the_same() {
    let shop = Shop::new();
    let lines = Lines::default().add("alice", "p1", 5).remove("alice", "p2");
    shop.file("in.jsonl", lines.text + "no\n");
    let page = shop.run(&["replay", "in.jsonl"]).with_faults().stdout;
    for part in [
        "1 accepted",
        "1 rejected",
        "1 not in cart",
        "1 malformed",
        "line 3: not a JSON object",
        "commands/s",
        "p50",
        "p99.9",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
}

#[test]
fn rejections_alone_are_no_failure_and_are_counted_by_reason() {
    let shop = Shop::new();
    let lines = Lines::default()
        .add("alice", "p1", 0)
        .add("alice", "p1", -7)
        .add("alice", "p1", i64::MAX)
        .add("alice", "p1", 1)
        .remove("alice", "p2")
        .checkout("alice")
        .checkout("alice");
    shop.file("in.jsonl", lines.text);
    let summary = shop.run(&["replay", "in.jsonl", "--json"]).done().json();
    let reasons = json!({
        "checked_out": 1,
        "not_in_cart": 1,
        "quantity_not_positive": 2,
        "quantity_overflow": 1,
    });
    assert_eq!(
        (&summary["accepted"], &summary["rejected"]),
        (&json!(2), &reasons)
    );
}

#[test]
fn standard_input_is_an_input() {
    let shop = Shop::new();
    let lines = Lines::default().add("alice", "p1", 5);
    shop.run_on(&["replay", "-"], lines.text.as_bytes()).done();
    assert_eq!(shop.cart("alice")["items"][0]["quantity"], 5);
}

#[test]
fn an_empty_input_is_a_summary_of_nothing() {
    let shop = Shop::new();
    shop.file("in.jsonl", "");
    let summary = shop.run(&["replay", "in.jsonl", "--json"]).done().json();
    assert_eq!(
        (&summary["accepted"], &summary["p999_us"]),
        (&json!(0), &json!(0))
    );
    shop.run(&["replay", "in.jsonl"]).done();
}

#[test]
fn an_input_that_cannot_be_read_leaves_no_database_behind() {
    let shop = Shop::new();
    let said = shop.run(&["replay", "missing.jsonl"]).refused();
    assert!(said.contains("cannot read missing.jsonl"), "{said}");
    let said = shop.run(&["replay", "."]).refused();
    assert!(said.contains("it is a folder"), "{said}");
    assert_eq!(shop.folder().read_dir().unwrap().count(), 0);
}

/// Each user's lines only all succeed, but for the last one, in the order of the file.
fn in_order(users: usize) -> String {
    let names: Vec<String> = (0..users).map(|user| format!("user-{user}")).collect();
    let mut lines = Lines::default();
    for step in 0..10 {
        for user in &names {
            lines = match step {
                9 => lines.add(user, "late", 1),
                8 => lines.checkout(user),
                step if step % 2 == 0 => lines.add(user, &format!("p{step}"), 1),
                step => lines.remove(user, &format!("p{}", step - 1)),
            };
        }
    }
    lines.text
}

#[test]
fn one_users_lines_run_in_file_order_whatever_the_concurrency() {
    const USERS: usize = 100;
    for concurrency in ["1", "7", "256", "10000"] {
        let shop = Shop::new();
        shop.file("in.jsonl", in_order(USERS));
        let args = ["replay", "in.jsonl", "--json", "--concurrency", concurrency];
        let summary = shop.run(&args).done().json();
        assert_eq!(summary["accepted"], 9 * USERS);
        assert_eq!(summary["rejected"], json!({"checked_out": USERS}));
        let events = shop
            .run(&["history", "user-42", "--json"])
            .done()
            .json_lines();
        let products: Vec<&Value> = events.iter().map(|e| &e["content"]["product_id"]).collect();
        let product = ["p0", "p0", "p2", "p2", "p4", "p4", "p6", "p6"];
        assert_eq!(products[..8], product);
    }
}

#[test]
fn outcomes_are_told_one_a_line_as_they_come() {
    let shop = Shop::new();
    let lines = Lines::default().add("alice", "p1", 5).remove("alice", "p2");
    shop.file("in.jsonl", lines.text + "no\n");
    let ran = shop.run(&["replay", "in.jsonl", "--outcomes", "--json"]);
    let mut lines = ran.with_faults().json_lines();
    let summary = lines.pop().unwrap();
    assert_eq!(summary["malformed"], json!([3]));
    lines.sort_by_key(|outcome| outcome["line"].as_u64());
    let expected = [
        json!({"line": 1, "outcome": "accepted"}),
        json!({"line": 2, "outcome": "rejected", "reason": "not_in_cart"}),
        json!({"line": 3, "outcome": "malformed", "reason": "not a JSON object"}),
    ];
    assert_eq!(lines, expected);
}

/// A cart as a user and their items in order: product, name and quantity.
type Items = Vec<(String, String, i64)>;

/// What the carts of an input that only adds must hold, computed without the library.
fn folded(input: &str) -> BTreeMap<String, Items> {
    let mut carts: BTreeMap<String, Items> = BTreeMap::new();
    for line in input.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| line[field].as_str().unwrap().to_owned();
        let quantity = line["quantity"].as_i64().unwrap();
        let items = carts.entry(text("user")).or_default();
        match items.iter_mut().find(|item| item.0 == text("product")) {
            Some(item) => item.2 += quantity,
            None => items.push((text("product"), text("name"), quantity)),
        }
    }
    carts
}

#[test]
fn the_sample_of_real_purchases_replays() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/cdnow-2000.jsonl");
    let carts = folded(&std::fs::read_to_string(&sample).unwrap());
    let shop = Shop::new();
    let args = ["replay", "--json", sample.to_str().unwrap()];
    let summary = shop.run(&args).done().json();
    assert_eq!(
        (&summary["accepted"], &summary["rejected"]),
        (&json!(2003), &json!({}))
    );
    let report = shop.run(&["verify", "--json"]).done().json();
    assert_eq!(
        (&report["carts"], &report["entries"]),
        (&json!(carts.len()), &json!(2003))
    );
    let longest = carts.iter().max_by_key(|cart| cart.1.len());
    for (user, items) in carts.iter().step_by(99).chain(longest) {
        let expected: Vec<Value> = items
            .iter()
            .map(|(id, name, quantity)| json!({"product_id": id, "name": name, "quantity": quantity}))
            .collect();
        assert_eq!(shop.cart(user)["items"], json!(expected), "{user}");
    }
}
