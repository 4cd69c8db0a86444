//! `replay --keys`: the same input again changes nothing.

use serde_json::Value;

use crate::shop::{Lines, Ran, Shop};

/// Lines of which most would answer differently the second time.
fn fickle() -> String {
    let mut lines = Lines::default();
    for user in ["alice", "bob", "carol"] {
        lines = lines
            .remove(user, "p1")
            .add(user, "p1", 5)
            .add(user, "p1", 2)
            .add(user, "p1", 2)
            .add(user, "p1", i64::MAX)
            .add(user, "p2", 0)
            .remove(user, "p1")
            .add(user, "p3", 1)
            .checkout(user);
    }
    lines.text
}

/// The outcome of each line, in the order of the lines.
fn outcomes(ran: &Ran) -> Vec<Value> {
    let mut outcomes = ran.json_lines();
    outcomes.pop();
    outcomes.sort_by_key(|outcome| outcome["line"].as_u64());
    outcomes
}

fn histories(shop: &Shop) -> Vec<String> {
    ["alice", "bob", "carol"]
        .map(|user| shop.run(&["history", user]).done().stdout)
        .to_vec()
}

#[test]
fn the_same_input_again_changes_nothing_and_reports_first_outcomes() {
    let shop = Shop::new();
    shop.file("in.jsonl", fickle());
    let args = ["replay", "--keys", "in.jsonl", "--outcomes", "--json"];
    let first = shop.run(&args).done();
    let (entries, past) = (shop.entries(), histories(&shop));
    assert_eq!(outcomes(&first).len(), 27);
    for _ in 0..2 {
        let again = shop.run(&args).done();
        assert_eq!(outcomes(&again), outcomes(&first));
        assert_eq!((shop.entries(), histories(&shop)), (entries, past.clone()));
    }
}

#[test]
fn the_key_is_made_of_content_and_not_of_the_name_of_the_file() {
    let shop = Shop::new();
    shop.file("in.jsonl", fickle());
    shop.file("copy.jsonl", fickle());
    let first = shop
        .run(&["replay", "--keys", "in.jsonl", "--outcomes"])
        .done();
    let entries = shop.entries();
    let again = shop
        .run(&["replay", "--keys", "copy.jsonl", "--outcomes"])
        .done();
    let told = |ran: &Ran| {
        let lines = ran.stdout.lines().filter(|line| line.starts_with('{'));
        let mut lines: Vec<String> = lines.map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(told(&again), told(&first));
    assert_eq!(shop.entries(), entries);
}

#[test]
fn without_keys_and_with_another_content_lines_run_anew() {
    let shop = Shop::new();
    let add = Lines::default().add("alice", "p1", 1).text;
    shop.file("in.jsonl", &add);
    shop.file("other.jsonl", format!("{add}\n"));
    let quantity = || shop.cart("alice")["items"][0]["quantity"].as_i64().unwrap();
    for (expected, args) in [
        (1, &["replay", "in.jsonl"][..]),
        (2, &["replay", "in.jsonl"]),
        (3, &["replay", "--keys", "in.jsonl"]),
        (3, &["replay", "--keys", "in.jsonl"]),
        (4, &["replay", "--keys", "other.jsonl"]),
        (5, &["replay", "in.jsonl"]),
    ] {
        shop.run(args).done();
        assert_eq!(quantity(), expected, "{args:?}");
    }
}

#[test]
fn equal_lines_of_one_input_are_different_lines() {
    let shop = Shop::new();
    let add = Lines::default().add("alice", "p1", 1).text;
    shop.file("in.jsonl", add.repeat(5));
    shop.run(&["replay", "--keys", "in.jsonl"]).done();
    assert_eq!(shop.cart("alice")["items"][0]["quantity"], 5);
}

#[test]
fn standard_input_takes_a_name_instead() {
    let shop = Shop::new();
    let add = Lines::default().add("alice", "p1", 1).text;
    let said = shop.run_on(&["replay", "-", "--keys"], add.as_bytes());
    assert!(said.not_understood().contains("--keys-name"));
    let quantity = || shop.cart("alice")["items"][0]["quantity"].as_i64().unwrap();
    for (name, expected) in [("monday", 1), ("monday", 1), ("tuesday", 2)] {
        let args = ["replay", "-", "--keys", "--keys-name", name];
        shop.run_on(&args, add.as_bytes()).done();
        assert_eq!(quantity(), expected);
    }
}

#[test]
fn a_name_for_another_content_is_a_failure_of_the_line_and_not_a_second_effect() {
    let shop = Shop::new();
    let args = ["replay", "-", "--keys-name", "monday", "--json"];
    let add = |quantity| Lines::default().add("alice", "p1", quantity).text;
    shop.run_on(&args, add(1).as_bytes()).done();
    let summary = shop.run_on(&args, add(2).as_bytes()).with_faults().json();
    assert_eq!(
        (&summary["accepted"], &summary["failed"][0]["line"]),
        (&0.into(), &1.into())
    );
    assert_eq!(summary["failed"][0]["applied"], "no");
    assert_eq!(shop.cart("alice")["items"][0]["quantity"], 1);
}
