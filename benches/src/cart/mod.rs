//! One cart, written for each contender: a map of product to quantity, `AddItem` and `Products`.

pub(crate) mod eventually;
pub(crate) mod kameo;
pub(crate) mod ours;
pub(crate) mod ractor;

/// The cart's no.
#[derive(Clone, Debug, PartialEq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub(crate) enum CartError {
    #[error("a quantity must be positive")]
    NotPositive,
}

/// What a cart keeps.
pub(crate) type Items = std::collections::BTreeMap<String, u32>;

/// The new quantity of `product`, or a no.
pub(crate) fn decide(items: &Items, product: &str, quantity: u32) -> Result<u32, CartError> {
    if quantity == 0 {
        return Err(CartError::NotPositive);
    }
    let present = items.get(product).copied().unwrap_or_default();
    Ok(present.saturating_add(quantity))
}

/// Puts `quantity` of `product` into the cart.
pub(crate) fn add(items: &mut Items, product: &str, quantity: u32) {
    match items.get_mut(product) {
        Some(present) => *present = present.saturating_add(quantity),
        None => drop(items.insert(product.to_owned(), quantity)),
    }
}
