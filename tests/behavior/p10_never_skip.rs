//! P10: what cannot be understood stops its entity, visibly, and nothing else.

use statefn::codec::Codec;
use statefn::store::{Batch, EntityType, Member, NewEvent, NewSnapshot, PersistenceId, Store};
use statefn::{CallError, SequenceNumber, Timestamp};
use statefn_store::testing::Faulty;

use crate::account::Account;
use crate::kit::World;

/// One event as it may lie in a journal.
struct Raw {
    name: &'static str,
    version: u32,
    codec: u8,
    payload: Vec<u8>,
}

impl Raw {
    fn added(amount: i64) -> Self {
        let mut payload = Vec::new();
        Codec::Bincode.encode(&amount, &mut payload).unwrap();
        Self {
            name: "Added",
            version: 1,
            codec: Codec::Bincode.id(),
            payload,
        }
    }
}

/// Appends events to an account past the runtime.
async fn append(world: &World, id: &str, expected: u64, events: Vec<Raw>) {
    let id = PersistenceId::new("account", id);
    let mut member = Member::new(id, SequenceNumber::new(expected), Timestamp::from_millis(0));
    let events = events.into_iter().map(|raw| NewEvent {
        name: raw.name.into(),
        version: raw.version,
        codec: raw.codec,
        payload: raw.payload,
    });
    member.events = events.collect();
    let batch = Batch {
        epoch: World::epoch(),
        members: vec![member],
    };
    let outcomes = world.store.commit(batch).await.unwrap();
    assert!(matches!(
        outcomes[..],
        [statefn::store::Outcome::Committed { .. }]
    ));
}

/// Every way in which an event can be beyond understanding, and a word of the reason for each.
fn riddles() -> Vec<(&'static str, Raw)> {
    let known = || Raw::added(5);
    vec![
        (
            "unknown event `Renamed`",
            Raw {
                name: "Renamed",
                ..known()
            },
        ),
        (
            "version 2",
            Raw {
                version: 2,
                ..known()
            },
        ),
        (
            "version 0",
            Raw {
                version: 0,
                ..known()
            },
        ),
        (
            "codec 77",
            Raw {
                codec: 77,
                ..known()
            },
        ),
        (
            "cannot decode",
            Raw {
                payload: Vec::new(),
                ..known()
            },
        ),
        (
            "cannot decode",
            Raw {
                codec: Codec::Json.id(),
                ..known()
            },
        ),
        (
            "1 bytes left over",
            Raw {
                payload: [known().payload, vec![0]].concat(),
                ..known()
            },
        ),
        (
            "cannot decode",
            Raw {
                name: "Noted",
                payload: vec![250; 9],
                ..known()
            },
        ),
        (
            "a cursed event",
            Raw {
                name: "Cursed",
                payload: Vec::new(),
                ..known()
            },
        ),
    ]
}

#[statefn::test]
async fn p10_an_event_beyond_understanding_quarantines_its_entity_only() {
    for (word, riddle) in riddles() {
        let world = World::new().await;
        let events = vec![Raw::added(1), riddle, Raw::added(2)];
        append(&world, "alice", 0, events).await;
        assert_eq!(world.account("bob").add(1).await, Ok(1));

        let alice = world.account("alice");
        for _ in 0..2 {
            match alice.total().await {
                Err(CallError::Quarantined(quarantine)) => {
                    assert_eq!(quarantine.id, PersistenceId::new("account", "alice"));
                    assert_eq!(quarantine.sequence, SequenceNumber::new(2), "{word}");
                    assert!(quarantine.reason.contains(word), "{word}: {quarantine}");
                }
                other => panic!("{word}: {other:?}"),
            }
            let write = alice.add(1).await;
            assert!(matches!(write, Err(CallError::Quarantined(_))), "{write:?}");
        }
        let quarantined = world.runtime.admin().quarantined();
        assert_eq!(quarantined.len(), 1);
        assert_eq!(quarantined[0].id.id(), "alice");
        assert_eq!(world.account("bob").add(1).await, Ok(2), "others go on");
        assert_eq!(world.journal("alice").await.len(), 3, "nothing is lost");
        world.assert_quiet().await;
        assert_eq!(world.runtime.admin().residents(), 1);
    }
}

#[statefn::test]
async fn p10_everybody_who_waits_for_the_recovery_is_told() {
    let world = World::new().await;
    let riddle = Raw {
        name: "Renamed",
        ..Raw::added(1)
    };
    append(&world, "alice", 0, vec![riddle]).await;
    let hold = world.store.hold(statefn_store::testing::Call::Load);
    let alice = world.account("alice");
    let calls: Vec<_> = (0..10).map(|n| crate::kit::pending(alice.add(n))).collect();
    hold.release();
    for call in calls {
        let answer = call.now().await;
        assert!(
            matches!(answer, Err(CallError::Quarantined(_))),
            "{answer:?}"
        );
    }
    world.assert_quiet().await;
}

#[statefn::test]
async fn p10_a_released_entity_is_judged_anew() {
    let world = World::new().await;
    let admin = world.runtime.admin();
    let riddle = Raw {
        name: "Renamed",
        ..Raw::added(1)
    };
    append(&world, "alice", 0, vec![riddle]).await;
    let alice = world.account("alice");
    assert!(alice.total().await.is_err());
    assert!(admin.release("account", "alice"));
    assert!(!admin.release("account", "alice"));
    assert!(admin.quarantined().is_empty());
    assert!(alice.total().await.is_err());
    assert_eq!(admin.quarantined().len(), 1);
}

#[statefn::test]
async fn p10_a_damaged_entry_quarantines_its_entity_until_it_is_mended() {
    let world = World::new().await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    assert_eq!(alice.add(1).await, Ok(1));
    assert_eq!(alice.add(2).await, Ok(3));
    assert_eq!(bob.add(1).await, Ok(1));
    let id = PersistenceId::new("account", "alice");
    world.store.damage(&id, SequenceNumber::new(2));
    assert_eq!(alice.total().await, Ok(3), "it is in memory");
    world.runtime.crash().await.unwrap();
    match alice.total().await {
        Err(CallError::Quarantined(quarantine)) => {
            assert_eq!(quarantine.sequence, SequenceNumber::new(2));
            assert!(quarantine.reason.contains("damaged"), "{quarantine}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(bob.add(1).await, Ok(2));
    world.store.heal();
    assert!(world.runtime.admin().release("account", "alice"));
    assert_eq!(alice.total().await, Ok(3));
}

#[statefn::test]
async fn p10_a_snapshot_that_cannot_be_read_means_full_replay() {
    let world = World::new().await;
    let alice = world.account("alice");
    for _ in 0..7 {
        alice.add(1).await.unwrap();
    }
    world.store.lose_snapshots();
    world.runtime.crash().await.unwrap();
    assert_eq!(alice.total().await, Ok(7));
}

#[statefn::test]
async fn p10_a_snapshot_of_another_shape_or_of_nonsense_is_not_misread() {
    for (shape, codec, payload) in [
        (1_u128, Codec::Bincode.id(), Vec::new()),
        (1_u128, 77, vec![1, 2, 3]),
    ] {
        let world = World::new().await;
        assert_eq!(world.account("alice").add(1).await, Ok(1));
        world.runtime.crash().await.unwrap();
        let id = PersistenceId::new("account", "alice");
        let mut member = Member::new(id, SequenceNumber::new(1), Timestamp::from_millis(0));
        let raw = Raw::added(2);
        member.events = vec![NewEvent {
            name: raw.name.into(),
            version: 1,
            codec: raw.codec,
            payload: raw.payload,
        }];
        member.snapshot = Some(NewSnapshot {
            shape,
            codec,
            payload,
        });
        let batch = Batch {
            epoch: statefn::store::OwnerEpoch::new(2),
            members: vec![member],
        };
        let _ = world.store.commit(batch).await.unwrap();
        assert_eq!(world.account("alice").moves().await, Ok(vec![1, 2]));
    }
}

#[statefn::test]
async fn p10_stored_types_without_code_are_reported() {
    let world = World::new().await;
    let id = PersistenceId::new("basket", "b1");
    let mut member = Member::new(id, SequenceNumber::ZERO, Timestamp::from_millis(0));
    member.events = vec![NewEvent {
        name: "Filled".into(),
        version: 1,
        codec: 1,
        payload: Vec::new(),
    }];
    let batch = Batch {
        epoch: World::epoch(),
        members: vec![member],
    };
    let _ = world.store.commit(batch).await.unwrap();
    assert_eq!(world.account("alice").add(1).await, Ok(1));
    let store: Faulty = world.store.clone();
    let second = World::over(store, statefn::Builder::only::<(Account,)>).await;
    let admin = second.runtime.admin();
    assert_eq!(admin.unhosted_types(), [EntityType::new("basket")]);
    assert_eq!(second.account("alice").total().await, Ok(1));
}
