//! `top` and `rebuild`: what sells best, across runs of the program.

use serde_json::json;

use crate::shop::{Lines, Shop};

#[test]
fn what_was_checked_out_is_counted_once_however_often_the_program_runs() {
    let shop = Shop::new();
    let refused = shop.run(&["top"]).refused();
    assert!(refused.contains("there is no database"), "{refused}");
    let lines = Lines::default()
        .add("anna", "apples", 2)
        .add("bert", "pears", 3)
        .checkout("anna");
    shop.run_on(&["replay", "-"], lines.text.as_bytes()).done();
    for _ in 0..2 {
        let top = shop.run(&["top", "--json"]).done().json();
        assert_eq!(top.as_array().map(Vec::len), Some(1), "{top}");
        assert_eq!(
            (&top[0]["product"], &top[0]["bought"]),
            (&json!("apples"), &json!(2))
        );
    }
    shop.run(&["checkout", "bert"]).done();
    let text = shop.run(&["top", "--limit", "1"]).done().stdout;
    assert!(text.starts_with("  1.      3 × "), "{text}");
    assert!(text.contains("(pears), in 1 cart"), "{text}");
    let rebuilt = shop.run(&["rebuild", "--json"]).done().json();
    assert_eq!(rebuilt, json!({"rebuilt": "bestsellers", "entries": 4}));
    let again = shop.run(&["top", "--limit", "1"]).done().stdout;
    assert_eq!(again, text);
    assert_eq!(shop.entries(), 4);
}
