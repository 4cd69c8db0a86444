//! Headers of a call, and bytes stored in their place.
//!
//! What a caller sends is what the handler sees and what history answers, pair by pair. Bytes that
//! are no headers stop nobody: the event counts, its headers are empty.

use statefn::codec::Codec;
use statefn::store::{EntryBody, Memory, Offset, SequenceNumber, Store};
use statefn::{CallError, Limits, Metadata};

use crate::basket::{Basket, BasketEvent};
use crate::entry::of;
use crate::input::Input;
use crate::tally::Tally;
use crate::world;

const PAIRS_MAX: u8 = 20;

/// Tries headers: sent by a call, or found in the store.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    if input.once_in(2) {
        world::block_on(are_found(&input.rest()));
        return;
    }
    let limit = 1 + usize::from(input.byte()) * 8;
    let mut pairs = Vec::new();
    for _ in 0..PAIRS_MAX {
        if input.is_at_end() {
            break;
        }
        pairs.push((input.text(u8::MAX), input.text(u8::MAX)));
    }
    world::block_on(are_sent(&pairs, limit));
}

async fn are_sent(pairs: &[(String, String)], limit: usize) {
    let limits = Limits {
        payload_bytes_max: limit,
        ..Limits::default()
    };
    let store = Memory::new();
    let runtime = world::open::<Tally>(&store, limits).await;
    let mut call = runtime.entity::<Tally>("t").read_headers();
    for (name, value) in pairs {
        call = call.with_metadata(name.as_str(), value.as_str());
    }
    let stored = stored_form(pairs);
    match call.await {
        Ok((id, seen)) => {
            assert_eq!((id.as_str(), &seen[..]), ("t", pairs));
            assert!(stored.len() <= limit);
        }
        Err(CallError::TooLarge {
            what,
            bytes,
            limit: named,
        }) => {
            assert_eq!((what, bytes, named), ("the metadata", stored.len(), limit));
            assert!(stored.len() > limit);
            assert_eq!(
                store.read(Offset::ZERO, 9).await.unwrap(),
                [],
                "not applied"
            );
            return;
        }
        Err(error) => panic!("{error}"),
    }
    drop(runtime);

    let entries = store.read(Offset::ZERO, 9).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert!(matches!(entries[0].body, EntryBody::Event { .. }));
    assert_eq!(entries[0].metadata, stored, "as FORMAT.md says");
    let runtime = world::open::<Tally>(&store, Limits::default()).await;
    let admin = runtime.admin();
    let history = admin.history::<Tally>("t", SequenceNumber::ZERO, 9);
    let history = history.await.unwrap();
    assert!(pairs_of(&history[0].metadata).eq(pairs.iter().cloned()));
    for (name, _) in pairs {
        let first = pairs.iter().find(|(other, _)| other == name);
        assert_eq!(
            history[0].metadata.get(name),
            first.map(|(_, value)| value.as_str())
        );
    }
}

/// Codec 1 of a list of pairs of texts; nothing for no pair.
fn stored_form(pairs: &[(String, String)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if !pairs.is_empty() {
        Codec::Bincode.encode(&pairs, &mut bytes).unwrap();
    }
    bytes
}

fn pairs_of(metadata: &Metadata) -> impl Iterator<Item = (String, String)> {
    let pairs = metadata.iter();
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))
}

async fn are_found(bytes: &[u8]) {
    let decoded = match bytes {
        [] => Some(Metadata::new()),
        bytes => Codec::Bincode.decode::<Metadata>(bytes).ok(),
    };
    if let Some(metadata) = &decoded {
        let pairs: Vec<_> = pairs_of(metadata).collect();
        let again: Metadata = match &stored_form(&pairs)[..] {
            [] => Metadata::new(),
            bytes => Codec::Bincode.decode(bytes).unwrap(),
        };
        assert_eq!(&again, metadata);
        let length: usize = pairs
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        assert_eq!(metadata.bytes(), length);
    }
    let store = Memory::new();
    let taken = BasketEvent::Taken("p".to_owned());
    let mut member = world::member("odd", 0, vec![of(&taken), of(&taken)]);
    member.metadata = bytes.to_vec();
    world::store_all(&store, vec![member]).await;
    let runtime = world::open::<Basket>(&store, Limits::default()).await;
    let contents = runtime.entity::<Basket>("odd").contents().await;
    let expected = [taken.clone(), taken];
    assert_eq!(contents.map(|basket| basket.log), Ok(expected.to_vec()));
    let admin = runtime.admin();
    let history = admin.history::<Basket>("odd", SequenceNumber::ZERO, 9);
    let history = history.await.unwrap();
    assert_eq!(history.len(), 2);
    for event in history {
        assert_eq!(event.metadata, decoded.clone().unwrap_or_default());
        assert!(event.event.is_ok());
    }
}

/// Headers of every kind, both ways.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![Vec::new(), vec![1]];
    let texts = ["", "trace-id", "7f3a", "\0", "\u{1f377}", &"v".repeat(200)];
    for count in 1..=texts.len() {
        let pairs: Vec<(String, String)> = texts
            .iter()
            .take(count)
            .zip(texts.iter().rev())
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut found = vec![1];
        found.extend(stored_form(&pairs));
        seeds.push(found);
        for limit in [0, 1, 20, 255] {
            let mut sent = vec![0, limit];
            for (name, value) in &pairs {
                for text in [name, value] {
                    sent.push(u8::try_from(text.len()).unwrap());
                    sent.extend(text.bytes());
                }
            }
            seeds.push(sent);
        }
    }
    // Names that are no text, and a list longer than the bytes.
    seeds.push(vec![1, 1, 2, 0xc3, 0x28, 0]);
    seeds.push(vec![1, 252, 255, 255, 255, 255, 0, 0]);
    seeds
}
