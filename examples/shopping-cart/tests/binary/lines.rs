//! `replay`: lines that are malformed, and lines that only look so.

use serde_json::{Value, json};

use crate::shop::{Lines, Shop};

const ADD: &str = r#"{"op":"add","user":"alice","product":"p1","name":"Deluxe","quantity":1}"#;

fn replayed(shop: &Shop, input: impl AsRef<[u8]>) -> Value {
    let ran = shop.run_on(&["replay", "-", "--json"], input.as_ref());
    assert_eq!(ran.stderr, "");
    let summary = ran.json();
    let has_faults = summary["malformed"] != json!([]);
    assert_eq!(ran.code, Some(i32::from(has_faults)), "{summary}");
    summary
}

#[test]
fn malformed_lines_are_numbered_and_never_stop_the_run() {
    let with = |field: &str, value: &str| {
        let mut line: Value = serde_json::from_str(ADD).unwrap();
        line[field] = serde_json::from_str(value).unwrap();
        line.to_string()
    };
    let without = |field: &str| {
        let mut line: Value = serde_json::from_str(ADD).unwrap();
        line.as_object_mut().unwrap().remove(field);
        line.to_string()
    };
    let mut lines = vec!["no JSON".to_owned(), "[1]".to_owned(), "7".to_owned()];
    lines.push(ADD.to_owned() + "}");
    lines.extend(["op", "user", "product", "name", "quantity"].map(without));
    lines.push(with("op", "\"sell\""));
    lines.push(with("quantity", "1.5"));
    lines.push(with("quantity", "\"1\""));
    lines.push(with("quantity", "9223372036854775808"));
    lines.push(with("user", "7"));
    lines.push(with("user", "\"\""));
    let malformed: Vec<usize> = (0..lines.len()).map(|index| 2 * index + 2).collect();
    let input: Vec<String> = lines
        .iter()
        .map(|line| format!("{ADD}\n{line}\n"))
        .collect();

    let shop = Shop::new();
    let summary = replayed(&shop, input.concat());
    assert_eq!(summary["malformed"], json!(malformed));
    assert_eq!(summary["accepted"], lines.len());
    assert_eq!(shop.cart("alice")["items"][0]["quantity"], lines.len());
}

#[test]
fn bytes_that_are_no_utf_8_make_a_line_malformed() {
    let shop = Shop::new();
    let mut input = ADD.replace("Deluxe", "De~luxe").into_bytes();
    for byte in input.iter_mut().filter(|byte| **byte == b'~') {
        *byte = 0xff;
    }
    input.extend_from_slice(format!("\n{ADD}\n").as_bytes());
    let summary = replayed(&shop, input);
    assert_eq!(
        (&summary["malformed"], &summary["accepted"]),
        (&json!([1]), &json!(1))
    );
}

#[test]
fn a_line_of_more_than_a_mebibyte_is_malformed_and_the_next_one_runs() {
    let shop = Shop::new();
    let huge = ADD.replace("Deluxe", &"x".repeat(3 << 20));
    let summary = replayed(&shop, format!("{huge}\n{ADD}\n"));
    assert_eq!(
        (&summary["malformed"], &summary["accepted"]),
        (&json!([1]), &json!(1))
    );
}

#[test]
fn a_line_of_a_mebibyte_runs() {
    let shop = Shop::new();
    let room = (1 << 20) - ADD.len() + "Deluxe".len();
    let name = "x".repeat(room);
    let line = ADD.replace("Deluxe", &name);
    assert_eq!(line.len(), 1 << 20);
    assert_eq!(replayed(&shop, line)["accepted"], 1);
    assert_eq!(shop.cart("alice")["items"][0]["name"], name);
}

#[test]
fn line_ends_of_other_systems_and_blank_lines_are_fine_but_counted() {
    let shop = Shop::new();
    let input = format!("\u{feff}{ADD}\r\n\r\n\n  \n{ADD}\r\nno\r\n{ADD}");
    let summary = replayed(&shop, input);
    assert_eq!(
        (&summary["malformed"], &summary["accepted"]),
        (&json!([6]), &json!(3))
    );
}

#[test]
fn fields_that_are_not_needed_are_ignored() {
    let shop = Shop::new();
    let line = r#"{"at":"1997-01-01","quantity":"none","user":"alice","op":"checkout"}"#;
    assert_eq!(replayed(&shop, line)["accepted"], 1);
}

#[test]
fn users_of_odd_bytes_and_of_a_kibibyte_have_carts() {
    let shop = Shop::new();
    let longest = "u".repeat(1024);
    let odd = ["nul\0nul", "'\"`$(x)", "🍷", &longest];
    let mut lines = Lines::default();
    for user in odd {
        lines = lines.add(user, "p\0", 1);
    }
    lines = lines.add(&format!("{longest}u"), "p", 1).add("", "p", 1);
    let summary = replayed(&shop, lines.text);
    assert_eq!(
        (&summary["malformed"], &summary["accepted"]),
        (&json!([5, 6]), &json!(4))
    );
    for user in &odd[1..] {
        assert_eq!(shop.cart(user)["items"][0]["product_id"], "p\0", "{user}");
    }
}
