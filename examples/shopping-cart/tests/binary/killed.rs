//! `kill -9` in the middle of a replay.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::shop::{Lines, Running, Shop};

const USERS: usize = 40;
const ROUNDS: usize = 150;

/// What has been told before a kill, by the number of the line.
type Told = BTreeMap<u64, Value>;

fn input() -> String {
    let mut lines = Lines::default();
    for round in 0..ROUNDS {
        let product = format!("p{}", round % 7);
        for user in 0..USERS {
            let user = format!("user-{user}");
            lines = match round % 5 {
                4 => lines.remove(&user, &format!("p{}", (round + user.len()) % 7)),
                3 => lines.add(&user, &product, 0),
                _ if round + 10 == ROUNDS => lines.checkout(&user),
                _ => lines.add(&user, &product, 1),
            };
        }
    }
    lines.text
}

fn note(told: &mut Told, line: &str) {
    let outcome: Value = serde_json::from_str(line).unwrap();
    let number = outcome["line"].as_u64().unwrap();
    let before = told.insert(number, outcome.clone());
    assert!(
        before.is_none_or(|before| before == outcome),
        "two outcomes: {outcome}"
    );
}

/// Kills a replay once it has told `count` outcomes.
fn killed(shop: &Shop, told: &mut Told, count: usize) {
    let command = shop.command(&["replay", "--keys", "in.jsonl", "--outcomes", "--json"]);
    let mut running = Running::start(command);
    for _ in 0..count {
        note(told, &running.line().unwrap());
    }
    let further = running.kill();
    assert!(
        !further.iter().any(|line| line.contains("p50_us")),
        "it ended first"
    );
    for line in further {
        note(told, &line);
    }
}

fn carts(shop: &Shop) -> Vec<Value> {
    let users = (0..USERS).step_by(7);
    users
        .map(|user| shop.cart(&format!("user-{user}")))
        .collect()
}

#[test]
fn after_kills_in_the_middle_each_line_has_taken_effect_once_and_reports_its_first_outcome() {
    let (shop, undisturbed) = (Shop::new(), Shop::new());
    for shop in [&shop, &undisturbed] {
        shop.file("in.jsonl", input());
    }
    let mut told = Told::new();
    for count in [1, 700, 2_000, 4_000] {
        killed(&shop, &mut told, count);
        let entries = shop.entries();
        assert!(
            entries >= told.len() as u64,
            "an acknowledged command is lost"
        );
    }
    assert!(told.len() < USERS * ROUNDS, "the kills came in the middle");

    let args = ["replay", "--keys", "in.jsonl", "--outcomes", "--json"];
    let ended = shop.run(&args).done();
    for line in ended.stdout.lines().filter(|line| !line.contains("p50_us")) {
        note(&mut told, line);
    }
    assert_eq!(told.len(), USERS * ROUNDS);

    let other = undisturbed.run(&args).done();
    for line in other.stdout.lines().filter(|line| !line.contains("p50_us")) {
        note(&mut told, line);
    }
    assert_eq!(shop.entries(), undisturbed.entries());
    assert_eq!(carts(&shop), carts(&undisturbed));
}
