//! What is too large to be stored, and what lies in the store and is not understood.

use statefn::store::{Batch, Member, NewEvent, Outcome, OwnerEpoch, PersistenceId, Store};
use statefn::{CallError, SequenceNumber, Timestamp};

use super::{Ground, Town};

/// A note whose event has a mebibyte: the text, and its length of four bytes behind a marker.
fn largest_note() -> String {
    "x".repeat((1 << 20) - 5)
}

#[statefn::test]
async fn a_payload_at_the_limit_survives_and_one_above_leaves_nothing() {
    for ground in Ground::both() {
        let town = ground.open().await;
        let (alice, bob) = (town.account("alice"), town.account("bob"));
        assert_eq!(alice.note(largest_note()).await, Ok(()));
        for _ in 0..3 {
            let refused = alice.note(largest_note() + "x").with_key("k").await;
            let (what, bytes, limit) = ("an event", (1 << 20) + 1, 1 << 20);
            assert_eq!(refused, Err(CallError::TooLarge { what, bytes, limit }));
        }
        assert_eq!(bob.add(1).await, Ok(1));
        assert_eq!(alice.note("the key is free").with_key("k").await, Ok(()));
        town.close().await;
        let town = ground.open().await;
        assert_eq!(town.account("alice").notes().await, Ok(2));
        assert_eq!(town.account("bob").total().await, Ok(1));
        town.assert_clean().await;
        town.close().await;
    }
}

#[statefn::test]
async fn the_largest_command_of_all_is_stored_whole() {
    // As many events as one command may have, together as large as a batch and a snapshot may be.
    for ground in Ground::both() {
        let town = ground.open().await;
        let alice = town.account("alice");
        assert_eq!(alice.note_often("x".repeat(16 << 10), 1024).await, Ok(()));
        let too_many = alice.note_often("x", 1025).await;
        assert!(matches!(
            too_many,
            Err(CallError::TooLarge { limit: 1024, .. })
        ));
        let too_large = alice.note_often("x".repeat(32 << 10), 1024).await;
        assert!(
            matches!(too_large, Err(CallError::TooLarge { .. })),
            "{too_large:?}"
        );
        assert_eq!(alice.add(1).await, Ok(1));
        town.close().await;
        let town = ground.open().await;
        assert_eq!(town.account("alice").notes().await, Ok(1024));
        town.assert_clean().await;
        town.close().await;
    }
}

/// Writes an event that no code here knows, as a newer program may have.
async fn write_unknown(town: &Town, id: &str, expected: u64, epoch: u64) {
    let id = PersistenceId::new("account", id);
    let expected = SequenceNumber::new(expected);
    let mut member = Member::new(id, expected, Timestamp::from_millis(0));
    member.events.push(NewEvent {
        name: "OfTomorrow".into(),
        version: 1,
        codec: 1,
        payload: vec![7],
    });
    let epoch = OwnerEpoch::new(epoch);
    let members = vec![member];
    let outcomes = town.store.commit(Batch { epoch, members }).await.unwrap();
    assert!(matches!(outcomes[..], [Outcome::Committed { .. }]));
}

#[statefn::test]
async fn a_stored_event_of_an_unknown_type_stops_its_entity_until_it_is_left_out() {
    for ground in Ground::both() {
        let town = ground.open().await;
        for id in ["alice", "bob"] {
            for amount in 1..=4 {
                town.account(id).add(amount).await.unwrap();
            }
        }
        town.close().await;
        let town = ground.open().await;
        write_unknown(&town, "alice", 4, 2).await;
        let (alice, bob) = (town.account("alice"), town.account("bob"));
        for _ in 0..2 {
            let answer = alice.add(1).await;
            let Err(CallError::Quarantined(quarantine)) = answer else {
                panic!("{answer:?}");
            };
            assert_eq!(quarantine.sequence, SequenceNumber::new(5));
            assert!(quarantine.reason.contains("OfTomorrow"), "{quarantine}");
            assert_eq!(bob.add(1).await.map(|_| ()), Ok(()));
        }
        let admin = town.runtime.admin();
        let verification = admin.verify().await.unwrap();
        assert_eq!(verification.faults.len(), 1, "{verification:?}");
        let (sequence, reason) = (SequenceNumber::new(5), "written by a newer program");
        admin
            .skip("account", "alice", sequence, reason)
            .await
            .unwrap();
        assert_eq!(alice.moves().await, Ok(vec![1, 2, 3, 4]));
        assert_eq!(alice.add(5).await, Ok(15));
        town.close().await;
        let town = ground.open().await;
        assert_eq!(town.account("alice").moves().await, Ok(vec![1, 2, 3, 4, 5]));
        assert_eq!(
            town.account("bob").moves().await,
            Ok(vec![1, 2, 3, 4, 1, 1])
        );
        town.assert_clean().await;
        town.close().await;
    }
}
