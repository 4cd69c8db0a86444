//! Entities in a crate that forbids what generated code might be tempted to do.

#![forbid(unsafe_code)]
#![deny(missing_docs, missing_debug_implementations, unreachable_pub, warnings)]
#![deny(
    future_incompatible,
    keyword_idents,
    nonstandard_style,
    rust_2018_idioms
)]
#![deny(
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unused_lifetimes
)]
#![deny(unused_qualifications, unused_results, variant_size_differences)]

/// What is kept of it.
pub mod shop {
    use serde::{Deserialize, Serialize};
    use statefn::prelude::*;

    /// Something was put in.
    #[derive(Debug, Event, Serialize, Deserialize)]
    pub struct Added {
        what: String,
    }

    /// It was emptied.
    #[derive(Debug, Event, Serialize, Deserialize)]
    pub struct Emptied;

    /// A cart.
    #[entity(event_sourced)]
    #[derive(Debug, Default, Serialize, Deserialize)]
    pub struct Cart {
        items: Vec<String>,
    }

    #[entity]
    impl Cart {
        /// Puts something in.
        #[command]
        fn add(&self, ctx: &mut Context<Self>, what: String) -> Result<Then<Self, usize>, String> {
            ctx.emit(Added { what });
            Ok(ctx.then(|cart| cart.items.len()))
        }

        // Without a doc comment: the reference's method has one all the same.
        #[command]
        fn empty(&self, ctx: &mut Context<Self>) {
            ctx.emit(Emptied);
        }

        #[query]
        fn count(&self) -> usize {
            self.items.len()
        }

        #[event_handler]
        fn added(&mut self, event: &Added) {
            self.items.push(event.what.clone());
        }

        #[event_handler]
        fn emptied(&mut self, _: &Emptied) {
            self.items.clear();
        }
    }
}

#[statefn::test]
async fn generated_code_passes_the_lints_of_a_strict_crate() {
    let runtime = statefn::Runtime::builder().build().await.unwrap();
    let cart: shop::CartRef = runtime.entity::<shop::Cart>("alice");
    assert_eq!(cart.add("apple").await, Ok(1));
    assert_eq!(cart.empty().await, Ok(()));
    assert_eq!(cart.count().await, Ok(0));
}
