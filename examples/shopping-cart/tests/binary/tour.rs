//! The guided tour.

#[cfg(unix)]
use std::process::Command;

#[cfg(unix)]
use crate::shop::BINARY;
use crate::shop::{Shop, run};

/// Its steps: what is typed, and what is answered.
#[cfg(unix)]
fn steps(page: &str) -> Vec<(String, Vec<String>)> {
    let mut steps: Vec<(String, Vec<String>)> = Vec::new();
    let mut answered = true;
    for line in page.lines() {
        if let Some(typed) = line.strip_prefix("  $ ") {
            steps.push((typed.to_owned(), Vec::new()));
            answered = false;
        } else if line.is_empty() {
            answered = true;
        } else if !answered {
            steps.last_mut().unwrap().1.push(line.to_owned());
        }
    }
    steps
}

#[test]
fn the_tour_shows_the_life_of_a_cart_also_the_second_time() {
    let shop = Shop::new();
    for guest in ["guest-1", "guest-2", "guest-3"] {
        let page = run(shop.bare::<&str>(&[]), b"").done().stdout;
        for part in [
            &format!("add {guest} p1 'Espresso cup' 5"),
            &format!("7 of p1 in the cart of {guest}."),
            "Refused: quantity of p3 must be positive, not 0.",
            "Refused: p9 is not in the cart.",
            &format!("p2 is out of the cart of {guest}, 1 product left."),
            "Open it again:",
            "7 x Espresso cup (p1)",
            "ItemRemoved  p2",
            "Refused: the cart is checked out already.",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
    }
}

#[test]
fn the_tour_takes_the_data_option_and_no_json() {
    let shop = Shop::new();
    let page = shop.run::<&str>(&[]).done().stdout;
    let typed = "$ shopping-cart --data 'carts.db' show guest-1";
    assert!(page.contains(typed), "{page}");
    assert!(shop.path("carts.db").exists());
    shop.run(&["--json"]).not_understood();
}

/// The tour says that each line can be typed as it stands: so they are.
#[cfg(unix)]
#[test]
fn each_line_of_the_tour_can_be_typed_and_answers_what_the_tour_says() {
    let shop = Shop::new();
    let page = run(shop.bare::<&str>(&[]), b"").done().stdout;
    let typist = Shop::new();
    let steps = steps(&page);
    assert!(steps.len() >= 10, "{page}");
    for (typed, answer) in steps {
        let words = typed.strip_prefix("shopping-cart").unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("\"$0\"{words}"), BINARY]);
        shell.current_dir(typist.folder());
        let ran = run(shell, b"");
        let said: Vec<_> = ran
            .stdout
            .lines()
            .chain(ran.stderr.lines())
            .map(plain)
            .collect();
        let promised: Vec<_> = answer.iter().map(|line| plain(line)).collect();
        assert_eq!(said, promised, "{typed}");
    }
}

/// A line without what differs: the time of an event, and how the tour tells a refusal.
#[cfg(unix)]
fn plain(line: &str) -> String {
    let line = line.strip_prefix("Refused: ").unwrap_or(line);
    let words = line.split_whitespace().filter(|word| !word.ends_with('Z'));
    words
        .collect::<Vec<_>>()
        .join(" ")
        .trim_end_matches('.')
        .to_owned()
}
