//! Ids, keys and headers of every kind.

use statefn::{CallError, Limits, Persisted};

use super::Ground;
use crate::kit::persisted;

/// Names that have broken other systems; each is another name than every other one.
fn odd_names(longest: usize) -> Vec<String> {
    let mut names: Vec<String> = [
        "a",
        "A",
        "a ",
        " a",
        " ",
        "\0",
        "a\0",
        "a\0b",
        "\0a",
        "\n",
        "\r\n",
        "\t",
        "'",
        "''",
        "\"",
        "\"\"",
        "`",
        "'; DROP TABLE journal; --",
        "%",
        "_",
        "*",
        "?",
        "\\",
        "/",
        "a/b",
        "../a",
        "a:b",
        "file:a",
        ":memory:",
        "null",
        "NULL",
        "0",
        "00",
        "-1",
        "1e3",
        "true",
        // One letter that can be written in two ways: two names.
        "\u{e9}",
        "e\u{301}",
        "\u{212b}",
        "\u{c5}",
        "A\u{30a}",
        // Letters of four bytes, one that joins, one that turns the line around, the last one.
        "\u{1f980}",
        "\u{1f980}\u{1f980}",
        "\u{1f468}\u{200d}\u{1f469}",
        "\u{202e}a",
        "\u{feff}a",
        "\u{fffd}",
        "\u{10ffff}",
        "\u{7f}",
    ]
    .map(str::to_owned)
    .into();
    names.push("x".repeat(longest));
    names.push("\u{1f980}".repeat(longest / 4));
    names.push("\0".repeat(longest));
    names
}

#[statefn::test]
async fn ids_of_every_kind_are_entities_of_their_own_and_survive() {
    for ground in Ground::both() {
        let ids = odd_names(1024);
        let town = ground.open().await;
        for (amount, id) in (1..).zip(&ids) {
            assert_eq!(town.account(id).add(amount).await, Ok(amount), "{id:?}");
            let (seen, ..) = town.account(id).whereabouts().await.unwrap();
            assert_eq!(seen, *id, "as it was given");
        }
        town.close().await;
        let town = ground.open().await;
        for (amount, id) in (1..).zip(&ids) {
            let moves = town.account(id).moves().await;
            assert_eq!(moves, Ok(vec![amount]), "{id:?}");
        }
        let verification = town.runtime.admin().verify().await.unwrap();
        assert_eq!(verification.faults, []);
        assert_eq!(verification.entities, ids.len() as u64);
        town.close().await;
    }
}

#[statefn::test]
async fn keys_of_every_kind_are_keys_of_their_own_and_survive() {
    for ground in Ground::both() {
        let keys = odd_names(256);
        let town = ground.open().await;
        let alice = town.account("alice");
        for (total, key) in (1..).zip(&keys) {
            let answer = alice.add(1).with_key(key.as_str()).await;
            assert_eq!(answer, Ok(total), "{key:?}");
        }
        town.close().await;
        // Few of them fit into memory, so that the others are looked up.
        for keys_max in [10_000, 3] {
            let limits = Limits {
                keys_max,
                ..Limits::default()
            };
            let town = ground.open_with(limits).await;
            let alice = town.account("alice");
            for (total, key) in (1..).zip(&keys) {
                let answer = alice.add(1).with_key(key.as_str()).await;
                assert_eq!(answer, Ok(total), "{key:?}");
            }
            assert_eq!(alice.total().await, Ok(i64::try_from(keys.len()).unwrap()));
            town.close().await;
        }
    }
}

#[statefn::test]
async fn ids_and_keys_that_are_empty_or_too_long_are_refused_and_leave_nothing() {
    for ground in Ground::both() {
        let town = ground.open().await;
        let answer = town.account("").add(1).await;
        assert!(
            matches!(
                answer,
                Err(CallError::Invalid {
                    what: "entity id",
                    ..
                })
            ),
            "{answer:?}"
        );
        let alice = town.account("alice");
        let answer = alice.add(1).with_key("").await;
        assert!(
            matches!(answer, Err(CallError::Invalid { what: "key", .. })),
            "{answer:?}"
        );
        // Measured in bytes, not in letters.
        for letter in ["x", "\u{e9}", "\u{1f980}"] {
            let long = letter.repeat(1024 / letter.len());
            assert_eq!(town.account(&long).total().await, Ok(0));
            let too_long = town.account(&(long + "x")).add(1).await;
            let (what, bytes, limit) = ("entity id", 1025, 1024);
            assert_eq!(too_long, Err(CallError::TooLarge { what, bytes, limit }));

            let long = letter.repeat(256 / letter.len());
            assert_eq!(alice.look().with_key(long.as_str()).await, Ok(0));
            let too_long = alice.add(1).with_key(long + "x").await;
            assert_eq!(persisted(&too_long), Persisted::No);
            let (what, bytes, limit) = ("key", 257, 256);
            assert_eq!(too_long, Err(CallError::TooLarge { what, bytes, limit }));
        }
        assert_eq!(alice.total().await, Ok(0));
        let huge = town.account(&"x".repeat(1 << 20)).total().await;
        assert!(matches!(huge, Err(CallError::TooLarge { .. })), "{huge:?}");
        assert_eq!(town.runtime.admin().waiting(), 0);
        let stored = town.runtime.admin().verify().await.unwrap();
        assert_eq!(stored.entities, 1, "only alice has a record");
        town.close().await;
    }
}

#[statefn::test]
async fn headers_of_every_kind_reach_the_handler_and_the_journal() {
    for ground in Ground::both() {
        let town = ground.open().await;
        let alice = town.account("alice");
        for value in odd_names(1024) {
            let call = alice.whereabouts().with_metadata("header", value.as_str());
            let (.., header) = call.await.unwrap();
            assert_eq!(header, Some(value.clone()));
            let write = alice.add(1).with_metadata(value.as_str(), value.as_str());
            assert!(write.await.is_ok(), "{value:?}");
        }
        town.close().await;
        let town = ground.open().await;
        let admin = town.runtime.admin();
        let account =
            admin.history::<crate::account::Account>("alice", statefn::SequenceNumber::ZERO, 1_000);
        let history = account.await.unwrap();
        for (event, value) in history.iter().zip(odd_names(1024)) {
            let metadata = &event.metadata;
            assert_eq!(metadata.get(&value), Some(value.as_str()));
        }
        assert_eq!(history.len(), odd_names(1024).len());
        town.close().await;
    }
}
