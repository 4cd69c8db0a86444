//! README shows a program that exists: `examples/readme-cart`, built with the workspace.

use std::collections::BTreeSet;

/// The program, with README's tests in it where a reader would put them.
mod program {
    #![expect(
        unreachable_pub,
        reason = "a reader's code: the root of a program of its own"
    )]

    include!("../examples/readme-cart/src/main.rs");

    mod tests {
        use super::*;

        include!("doc/scenario.rs");
        include!("doc/runtime.rs");
        include!("doc/action.rs");
        include!("doc/view.rs");

        #[statefn::test]
        async fn the_view_of_readme_counts_what_all_carts_hold() {
            let builder = Runtime::builder().only::<(Cart,)>().projection::<Sales>();
            let runtime = builder.build().await.unwrap();
            for (cart, quantity) in [("alice", 2), ("bob", 3)] {
                let cart = runtime.entity::<Cart>(cart);
                cart.add_item("p1", "Deluxe", quantity).await.unwrap();
            }
            runtime.settle().await;
            let product_id = "p1".to_owned();
            let quantity = 5;
            assert_eq!(
                best(&runtime).await.unwrap(),
                [Sold {
                    product_id,
                    quantity
                }]
            );
        }

        #[statefn::test]
        async fn the_action_of_readme_takes_orders() {
            let builder = Runtime::builder().only::<(Cart,)>().action(Stock);
            let runtime = builder.build().await.unwrap();
            let ctx = runtime.action_context();
            let (alice, bob) = ("alice".to_owned(), "bob".to_owned());
            Stock
                .order(&ctx, alice.clone(), "p1".to_owned())
                .await
                .unwrap();
            let counts = Stock.counts(&ctx, statefn::Items::of([alice, bob]));
            assert_eq!(counts.collect().await, [1, 0]);
            assert_eq!(runtime.actions()[0].name, "stock");
        }
    }
}

const README: &str = include_str!("../README.md");
const PROGRAM: &str = include_str!("../examples/readme-cart/src/main.rs");
const MANIFEST: &str = include_str!("../examples/readme-cart/Cargo.toml");

/// What README says the program needs.
const DEPENDENCIES: [&str; 3] = ["serde", "statefn", "thiserror"];

/// The Rust blocks of README that are whole programs.
fn programs() -> Vec<&'static str> {
    let blocks = README.split("```rust\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split_once("```"));
    let programs = blocks.map(|(block, _)| block);
    programs.filter(|block| block.contains("fn main")).collect()
}

#[test]
fn readme_shows_the_program_byte_for_byte() {
    assert_eq!(programs(), [PROGRAM]);
}

#[test]
fn readme_shows_the_tests_byte_for_byte() {
    for test in [
        include_str!("doc/scenario.rs"),
        include_str!("doc/runtime.rs"),
        include_str!("doc/action.rs"),
        include_str!("doc/view.rs"),
    ] {
        assert!(README.contains(&format!("```rust\n{test}```\n")), "{test}");
    }
}

#[test]
fn the_program_needs_what_readme_says() {
    let (_, dependencies) = MANIFEST.split_once("[dependencies]\n").unwrap();
    let lines = dependencies
        .lines()
        .take_while(|line| !line.starts_with('['));
    let names = lines
        .filter_map(|line| line.split_once('.'))
        .map(|(name, _)| name);
    assert_eq!(names.collect::<BTreeSet<_>>(), BTreeSet::from(DEPENDENCIES));
    let bullets = DEPENDENCIES.map(|name| format!("`{name}`"));
    let sentence = README
        .lines()
        .any(|line| bullets.iter().all(|name| line.contains(name)));
    assert!(sentence, "README names the dependencies in one line");
}
