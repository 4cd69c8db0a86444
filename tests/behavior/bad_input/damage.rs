//! Bytes that were flipped in the file while nobody had it open.

use std::fs;
use std::path::{Path, PathBuf};

use statefn::{CallError, Limits, Quarantine, SequenceNumber};

use super::Ground;

/// A word that is nowhere else in the file.
const MARK: &str = "this word is flipped";

/// Flips one bit of the mark in the file; a second time, it is as it was.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    // Its first letter is the one that is flipped.
    let (_, rest) = MARK.split_at(1);
    let places = bytes.windows(rest.len()).enumerate();
    let places = places.filter(|(_, place)| *place == rest.as_bytes());
    let places: Vec<usize> = places.map(|(index, _)| index - 1).collect();
    let [place] = places[..] else {
        panic!("the mark is in {} places", places.len());
    };
    *bytes.get_mut(place).unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
}

fn file(ground: &Ground) -> PathBuf {
    match ground {
        Ground::File(folder) => folder.path().join("store.db"),
        Ground::Memory(_) => panic!("memory has no file"),
    }
}

fn quarantined<T: std::fmt::Debug, E: std::fmt::Debug>(
    answer: Result<T, CallError<E>>,
) -> std::sync::Arc<Quarantine> {
    match answer {
        Err(CallError::Quarantined(quarantine)) => quarantine,
        other => panic!("expected a quarantine, got {other:?}"),
    }
}

#[statefn::test]
async fn a_flipped_byte_in_an_event_stops_its_entity_only_and_nothing_is_lost() {
    let ground = Ground::file();
    let town = ground.open().await;
    assert_eq!(town.account("alice").add(1).await, Ok(1));
    assert_eq!(town.account("alice").note(MARK).await, Ok(()));
    assert_eq!(town.account("bob").add(1).await, Ok(1));
    town.close().await;

    flip(&file(&ground));
    let town = ground.open().await;
    let (alice, bob) = (town.account("alice"), town.account("bob"));
    for _ in 0..2 {
        let quarantine = quarantined(alice.add(1).await);
        assert_eq!(quarantine.sequence, SequenceNumber::new(2));
        assert!(quarantine.reason.contains("damaged"), "{quarantine}");
        assert!(bob.add(1).await.is_ok());
    }
    let admin = town.runtime.admin();
    assert_eq!(admin.quarantined().len(), 1);
    let faults = admin.verify().await.unwrap().faults;
    assert!(!faults.is_empty());
    for fault in &faults {
        let id = fault.id.as_ref().unwrap();
        assert_eq!(id.id(), "alice", "{fault}");
    }
    town.close().await;

    flip(&file(&ground));
    let town = ground.open().await;
    assert_eq!(town.account("alice").notes().await, Ok(1));
    assert_eq!(town.account("alice").add(1).await, Ok(2));
    assert_eq!(town.account("bob").total().await, Ok(3));
    town.assert_clean().await;
    town.close().await;
}

#[statefn::test]
async fn a_flipped_byte_in_an_event_before_the_snapshot_is_found_by_verify() {
    let ground = Ground::file();
    let town = ground.open().await;
    let alice = town.account("alice");
    assert_eq!(alice.note(MARK).await, Ok(()));
    for total in 1..=3 {
        assert_eq!(alice.add(1).await, Ok(total));
    }
    town.close().await;
    flip(&file(&ground));
    let town = ground.open().await;
    // The snapshot says what the event said, and has a checksum of its own.
    assert_eq!(town.account("alice").add(1).await, Ok(4));
    let faults = town.runtime.admin().verify().await.unwrap().faults;
    assert!(!faults.is_empty());
    town.close().await;
}

#[statefn::test]
async fn a_flipped_byte_in_a_remembered_reply_stops_its_entity_when_it_is_asked_for() {
    // One key in memory: the older one is looked up.
    let limits = || Limits {
        keys_max: 1,
        ..Limits::default()
    };
    let ground = Ground::file();
    let town = ground.open_with(limits()).await;
    let alice = town.account("alice");
    let said = alice.say(MARK).with_key("old").await;
    assert_eq!(said, Ok(MARK.to_owned()));
    // A snapshot comes with the third event, so that a recovery does not go further back.
    for (total, key) in [(1, "new"), (2, "newer"), (3, "newest")] {
        assert_eq!(alice.add(1).with_key(key).await, Ok(total));
    }
    assert_eq!(town.account("bob").add(1).await, Ok(1));
    town.close().await;

    flip(&file(&ground));
    let town = ground.open_with(limits()).await;
    let (alice, bob) = (town.account("alice"), town.account("bob"));
    assert_eq!(alice.total().await, Ok(3), "nobody needs it");
    // Neither is it run again, nor does the entity go on as if nothing were wrong.
    let again = alice.say(MARK).with_key("old").into_future();
    let behind = alice.add(1).into_future();
    let (again, behind) = tokio::join!(again, behind);
    quarantined(again);
    quarantined(behind);
    quarantined(alice.total().await);
    assert_eq!(town.runtime.admin().quarantined().len(), 1);
    assert_eq!(bob.add(1).await, Ok(2));
    assert_eq!(town.runtime.admin().residents(), 1);
    town.close().await;

    flip(&file(&ground));
    let town = ground.open_with(limits()).await;
    let said = town.account("alice").say(MARK).with_key("old").await;
    assert_eq!(said, Ok(MARK.to_owned()));
    town.assert_clean().await;
    town.close().await;
}
