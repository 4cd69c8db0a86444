//! The commands that every contender gets: 10 products, and arguments that make 64 bytes.

use std::sync::LazyLock;

/// Products that commands choose from, and so the most a cart holds.
pub const PRODUCTS: usize = 10;

/// Bytes of an event with these arguments in bincode: 1 + 12, 1 + 49, 1.
pub const PAYLOAD_BYTES: usize = 64;

const NAME_BYTES: usize = 49;

static IDS: LazyLock<[String; PRODUCTS]> =
    LazyLock::new(|| std::array::from_fn(|number| format!("product-{number:04}")));

static NAMES: LazyLock<[String; PRODUCTS]> = LazyLock::new(|| {
    std::array::from_fn(|number| {
        format!(
            "{:width$}",
            format!("The fine product {number}"),
            width = NAME_BYTES
        )
    })
});

/// A product's id.
pub fn product(number: u64) -> &'static str {
    &IDS[number as usize % PRODUCTS]
}

/// A product's name.
pub fn name(number: u64) -> &'static str {
    &NAMES[number as usize % PRODUCTS]
}

/// The id of an entity.
pub fn entity(number: usize) -> String {
    format!("cart-{number:07}")
}

#[test]
fn arguments_make_64_bytes() {
    assert_eq!(3 + product(7).len() + name(7).len(), PAYLOAD_BYTES);
}
