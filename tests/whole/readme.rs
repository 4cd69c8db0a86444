//! README's entity that is stored whole, and its second version.

#![expect(
    unreachable_pub,
    reason = "a reader's code, of which only a part is called"
)]

use serde::{Deserialize, Serialize};
use statefn::CallError;
use statefn::prelude::*;

include!("../doc/crud.rs");

mod later {
    use super::{Deserialize, Serialize};
    use statefn::prelude::*;

    include!("../doc/crud_version.rs");

    #[entity]
    impl Profile {
        #[query]
        fn logins(&self) -> u32 {
            self.logins
        }
    }
}

#[statefn::test]
async fn readme_shows_an_entity_that_works() {
    let readme = include_str!("../../README.md");
    for block in [
        include_str!("../doc/crud.rs"),
        include_str!("../doc/crud_version.rs"),
    ] {
        assert!(
            readme.contains(&format!("```rust\n{block}```\n")),
            "{block}"
        );
    }
    let runtime = Runtime::builder()
        .only::<(Profile,)>()
        .build()
        .await
        .unwrap();
    let alice = runtime.entity::<Profile>("alice");
    alice.rename("Alice").await.unwrap();
    let refused = CallError::Rejected("a name has letters".to_owned());
    assert_eq!(alice.rename("").await, Err(refused));
    assert_eq!(alice.name().await.unwrap(), "Alice");
    alice.close().await.unwrap();
    assert_eq!(alice.name().await.unwrap(), "");
}
