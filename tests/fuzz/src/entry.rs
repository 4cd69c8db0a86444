//! A stored event of arbitrary name, version, codec and payload.
//!
//! It decodes to a value that comes back from every codec as it was, or is a typed error; what is
//! shorter or longer is not taken for it; its entity is recovered with it or quarantined at it, and
//! goes on once it is skipped; the neighbour does not notice.

use statefn::codec::{Codec, DecodeError};
use statefn::event::{self, Event};
use statefn::store::{Memory, NewEvent, SequenceNumber};
use statefn::{CallError, Limits};

use crate::basket::{Basket, BasketEvent, same, samples};
use crate::input::Input;
use crate::world;

const NAMES: [&str; 6] = ["put", "taken", "weighed", "counted", "closed", "opened"];

/// Tries one stored event.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let name = match input.below(7) {
        6 => input.text(20),
        at => NAMES[usize::from(at)].to_owned(),
    };
    let version = match input.below(6) {
        5 => u32::try_from(input.number() >> 32).unwrap(),
        version => u32::from(version),
    };
    let codec = match input.below(8) {
        7 => input.byte(),
        other => 1 + other % 2,
    };
    let stored = NewEvent {
        name: name.into(),
        version,
        codec,
        payload: input.rest(),
    };
    let decoded = decoded(&stored);
    if let Ok(event) = &decoded {
        comes_back(&stored, event);
    }
    world::block_on(recovers(stored, decoded));
}

fn decoded(stored: &NewEvent) -> Result<BasketEvent, DecodeError> {
    let codec = Codec::from_id(stored.codec);
    let codec = codec.ok_or(DecodeError::UnknownCodec { id: stored.codec })?;
    event::decode(&stored.name, stored.version, codec, &stored.payload)
}

/// What was decoded is what the bytes say, in every codec.
fn comes_back(stored: &NewEvent, event: &BasketEvent) {
    let declared = BasketEvent::EVENTS[event.index()];
    assert_eq!(declared.name, stored.name);
    assert!((1..=declared.version).contains(&stored.version));
    for codec in [Codec::Bincode, Codec::Json] {
        let decode = |bytes: &[u8]| {
            event::decode::<BasketEvent>(declared.name, declared.version, codec, bytes)
        };
        let mut bytes = Vec::new();
        if let Err(error) = event::encode(event, codec, &mut bytes) {
            // JSON has no such numbers; everything else that was read can be written.
            let is_json = codec == Codec::Json && Some(codec) != Codec::from_id(stored.codec);
            assert!(is_json && !is_finite(event), "{event:?}: {error}");
            continue;
        }
        let again = decode(&bytes).expect("what was encoded decodes");
        assert!(same(&again, event), "{codec:?}: {again:?} was {event:?}");
        let mut twice = Vec::new();
        event::encode(&again, codec, &mut twice).unwrap();
        assert_eq!(twice, bytes, "one value, one encoding");
        // In JSON a number could be cut; no event is one.
        if !bytes.is_empty() {
            assert!(decode(&bytes[..bytes.len() - 1]).is_err(), "cut: {bytes:?}");
        }
        bytes.push(b'1');
        assert!(decode(&bytes).is_err(), "a byte behind it: {bytes:?}");
    }
}

fn is_finite(event: &BasketEvent) -> bool {
    match event {
        BasketEvent::Weighed(one, other, _) => one.is_finite() && other.is_none_or(f32::is_finite),
        _ => true,
    }
}

/// The event between two good ones, beside an entity that has nothing to do with it.
async fn recovers(stored: NewEvent, decoded: Result<BasketEvent, DecodeError>) {
    let store = Memory::new();
    let good = || BasketEvent::Taken("good".to_owned());
    let members = vec![
        world::member("odd", 0, vec![of(&good()), stored, of(&good())]),
        world::member("good", 0, vec![of(&good())]),
    ];
    world::store_all(&store, members).await;
    let runtime = world::open::<Basket>(&store, Limits::default()).await;
    let (odd, neighbour) = (
        runtime.entity::<Basket>("odd"),
        runtime.entity::<Basket>("good"),
    );
    let mut expected = Basket {
        log: vec![good(), good()],
    };
    match (odd.contents().await, decoded) {
        (Ok(contents), Ok(event)) => {
            expected.log.insert(1, event);
            assert!(same(&contents, &expected), "{contents:?} not {expected:?}");
        }
        (Err(CallError::Quarantined(quarantine)), Err(_)) => {
            assert_eq!(quarantine.sequence, SequenceNumber::new(2));
            let admin = runtime.admin();
            let history = admin.history::<Basket>("odd", SequenceNumber::ZERO, 9);
            let history = history.await.unwrap().into_iter();
            let readable: Vec<bool> = history.map(|event| event.event.is_ok()).collect();
            assert_eq!(readable, [true, false, true]);
            let skipped = admin.skip("basket", "odd", quarantine.sequence, "odd");
            skipped.await.unwrap();
            assert_eq!(odd.contents().await, Ok(expected.clone()));
        }
        (contents, decoded) => panic!("{decoded:?} was recovered as {contents:?}"),
    }
    let count = expected.log.len();
    assert_eq!(odd.take("more".to_owned()).await, Ok(count + 1));
    assert_eq!(neighbour.take("more".to_owned()).await, Ok(2));
}

/// The stored form that the program itself writes.
pub(crate) fn of(event: &BasketEvent) -> NewEvent {
    let declared = BasketEvent::EVENTS[event.index()];
    let mut payload = Vec::new();
    event::encode(event, Codec::Bincode, &mut payload).unwrap();
    NewEvent {
        name: declared.name.into(),
        version: declared.version,
        codec: Codec::Bincode.id(),
        payload,
    }
}

/// Every event of the samples in both codecs, the older versions, and what is none of them.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![Vec::new()];
    for event in samples() {
        for (byte, codec) in [(0, Codec::Bincode), (1, Codec::Json)] {
            let at = u8::try_from(event.index()).unwrap();
            let version = u8::try_from(BasketEvent::EVENTS[event.index()].version).unwrap();
            let mut seed = vec![at, version, byte];
            event::encode(&event, codec, &mut seed).unwrap();
            seeds.push(seed);
        }
    }
    let not_a_number = BasketEvent::Weighed(f64::NAN, Some(f32::INFINITY), vec![]);
    let mut seed = vec![2, 1, 0];
    event::encode(&not_a_number, Codec::Bincode, &mut seed).unwrap();
    seeds.push(seed);
    seeds.extend([
        b"\0\x01\x01{\"product\":\"first\"}".to_vec(),
        b"\0\x02\x01{\"product\":\"second\",\"quantity\":2}".to_vec(),
        b"\0\x01\0\x05first".to_vec(),
        b"\0\x02\0\x06second\x04".to_vec(),
        b"\x06\x03new\x01\x00\x00".to_vec(),
        b"\x01\x01\x07\xff\x00".to_vec(),
        // Lengths that no input has: 2^64 - 1, 2^32, 70,000 elements without content.
        b"\x01\x01\0\xfd\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        b"\x03\x01\0\xfc\x00\x00\x00\x01".to_vec(),
        b"\x03\x01\0\xfc\x70\x11\x01\x00".to_vec(),
    ]);
    let deep = format!("{}0{}", "{\"Then\":".repeat(130), "}".repeat(130));
    let mut seed = vec![0, 3, 1];
    seed.extend(
        format!("{{\"product\":\"\",\"quantity\":0,\"labels\":{{}},\"note\":{deep}}}").bytes(),
    );
    seeds.push(seed);
    seeds
}
