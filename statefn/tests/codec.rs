//! Codecs: what goes in comes out, and no bytes, however hostile, panic, hang or eat memory.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, HashMap, HashSet};

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use statefn::Metadata;
use statefn::codec::{Codec, DecodeError, EncodeError};
use statefn::event::{self, Event as _};
use statefn::prelude::*;

const CODECS: [Codec; 2] = [Codec::Bincode, Codec::Json];

fn encoded<T: Serialize>(codec: Codec, value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    codec.encode(value, &mut bytes).expect("encoded");
    bytes
}

fn decoded<T: DeserializeOwned>(codec: Codec, bytes: &[u8]) -> Result<T, DecodeError> {
    codec.decode(bytes)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Dot,
    Circle(f64),
    Line(i32, i32),
    Label { text: String, at: Option<(u8, u8)> },
    Group(Vec<Shape>),
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
enum Drawn {
    Cleared,
    Empty {},
    Nothing(),
    Added(Shape),
    Moved(i64, i64),
    #[event(name = "labelled")]
    Renamed {
        #[serde(rename = "was")]
        from: String,
        #[serde(default)]
        to: Option<String>,
    },
    Tagged(BTreeMap<String, Vec<u8>>),
    Maybe(Option<u32>),
    Unit(()),
}

fn every_kind_of_variant() -> Vec<Drawn> {
    vec![
        Drawn::Cleared,
        Drawn::Empty {},
        Drawn::Nothing(),
        Drawn::Added(Shape::Dot),
        Drawn::Added(Shape::Group(vec![
            Shape::Line(-1, 1),
            Shape::Label {
                text: "ü".into(),
                at: None,
            },
        ])),
        Drawn::Moved(i64::MIN, i64::MAX),
        Drawn::Renamed {
            from: String::new(),
            to: Some("b".into()),
        },
        Drawn::Tagged(BTreeMap::from([("k".to_owned(), vec![0, 255])])),
        Drawn::Maybe(None),
        Drawn::Maybe(Some(7)),
        Drawn::Unit(()),
    ]
}

#[test]
fn every_kind_of_variant_comes_back_under_both_codecs() {
    for codec in CODECS {
        for event in every_kind_of_variant() {
            let declared = Drawn::EVENTS[event.index()];
            let mut payload = Vec::new();
            event::encode(&event, codec, &mut payload).expect("encoded");
            let back: Drawn =
                event::decode(declared.name, declared.version, codec, &payload).expect("decoded");
            assert_eq!(back, event, "{codec:?}");
        }
    }
}

#[test]
fn only_the_fields_of_a_variant_are_stored() {
    let event = Drawn::Renamed {
        from: "a".into(),
        to: None,
    };
    let mut payload = Vec::new();
    event::encode(&event, Codec::Json, &mut payload).expect("encoded");
    assert_eq!(payload, br#"{"was":"a","to":null}"#);
    payload.clear();
    event::encode(&event, Codec::Bincode, &mut payload).expect("encoded");
    assert_eq!(payload, [1, b'a', 0]);
    payload.clear();
    event::encode(&Drawn::Cleared, Codec::Bincode, &mut payload).expect("encoded");
    assert!(payload.is_empty());
}

#[test]
fn a_payload_of_one_variant_is_not_taken_for_another() {
    for codec in CODECS {
        let mut payload = Vec::new();
        event::encode(&Drawn::Moved(1, 2), codec, &mut payload).expect("encoded");
        let unknown = event::decode::<Drawn>("Vanished", 1, codec, &payload);
        assert!(matches!(unknown, Err(DecodeError::UnknownEvent { .. })));
        let newer = event::decode::<Drawn>("Moved", 2, codec, &payload);
        assert!(matches!(newer, Err(DecodeError::UnknownVersion { .. })));
        let longer = event::decode::<Drawn>("Cleared", 1, codec, &payload);
        assert!(longer.is_err(), "{longer:?}");
        assert!(event::decode_at::<Drawn>(99, 1, codec, &payload).is_err());
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Chain {
    next: Option<Box<Chain>>,
}

fn chain(links: usize) -> Chain {
    (0..links).fold(Chain { next: None }, |chain, _| Chain {
        next: Some(Box::new(chain)),
    })
}

/// On the stack of a test thread, without optimisation.
#[test]
fn nesting_is_limited_on_the_way_in_and_on_the_way_out_alike() {
    for codec in CODECS {
        // Each link is a struct and an option.
        let deepest = chain(59);
        let bytes = encoded(codec, &deepest);
        assert_eq!(decoded::<Chain>(codec, &bytes).expect("decoded"), deepest);
        let refused = codec.encode(&chain(60), &mut Vec::new());
        assert!(refused.expect_err("too deep").reason.contains("nested"));
        let refused = codec.encode(&chain(1_000), &mut Vec::new());
        assert!(refused.is_err());
    }
    let hostile = vec![1; 1024 * 1024];
    let refused = decoded::<Chain>(Codec::Bincode, &hostile);
    assert!(matches!(refused, Err(DecodeError::TooDeep { max: 120 })));
}

/// What would not come back as what it was is not written.
#[test]
fn json_refuses_what_it_would_change() {
    #[derive(Serialize)]
    struct Wrapped<T>(T);
    let json = |value: &dyn Fn(&mut Vec<u8>) -> Result<(), EncodeError>| {
        value(&mut Vec::new()).expect_err("refused").reason
    };
    let refused = [
        json(&|into| Codec::Json.encode(&Some(None::<u8>), into)),
        json(&|into| Codec::Json.encode(&Some(Wrapped(())), into)),
        json(&|into| Codec::Json.encode(&[Some(Wrapped(Wrapped(None::<u8>)))], into)),
    ];
    assert!(
        refused.iter().all(|r| r.contains("Some(None)")),
        "{refused:?}"
    );
    let refused = [
        json(&|into| Codec::Json.encode(&f64::NAN, into)),
        json(&|into| Codec::Json.encode(&vec![f32::INFINITY], into)),
    ];
    assert!(refused.iter().all(|r| r.contains("NaN")), "{refused:?}");
    assert_eq!(
        encoded(Codec::Json, &Some(vec![None::<u8>, Some(1)])),
        b"[null,1]"
    );
    let back: Option<Option<()>> =
        decoded(Codec::Bincode, &encoded(Codec::Bincode, &Some(Some(())))).expect("decoded");
    assert_eq!(back, Some(Some(())));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Expr {
    Not(Box<Expr>),
    All { of: Vec<Expr> },
    True,
}

#[test]
fn every_way_of_nesting_is_limited() {
    let deep_json = format!("{}\"True\"{}", "{\"Not\":".repeat(5_000), "}".repeat(5_000));
    let refused = decoded::<Expr>(Codec::Json, deep_json.as_bytes());
    assert!(
        matches!(refused, Err(DecodeError::TooDeep { .. })),
        "{refused:?}"
    );
    let deep_json = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(decoded::<statefn_json::Any>(Codec::Json, deep_json.as_bytes()).is_err());
    let refused = decoded::<Expr>(Codec::Bincode, &vec![0; 100_000]);
    assert!(matches!(refused, Err(DecodeError::TooDeep { .. })));
    let refused = decoded::<Expr>(Codec::Bincode, &vec![1; 100_000]);
    assert!(matches!(refused, Err(DecodeError::TooDeep { .. })));
    let refused = decoded::<Nested>(Codec::Bincode, &vec![1; 100_000]);
    assert!(matches!(refused, Err(DecodeError::TooDeep { .. })));
    let mut deepest = Expr::True;
    while Codec::Bincode.encode(&deepest, &mut Vec::new()).is_ok() {
        for codec in CODECS {
            assert_eq!(
                decoded::<Expr>(codec, &encoded(codec, &deepest)).expect("decoded"),
                deepest
            );
        }
        deepest = Expr::All { of: vec![deepest] };
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Nested(HashMap<u8, Nested>);

/// A value of any JSON type.
mod statefn_json {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only decoded")]
    pub(super) enum Any {
        Number(f64),
        List(Vec<Any>),
    }
}

/// A length prefix of `bincode`: 253 means that eight bytes follow.
fn length(len: u64) -> Vec<u8> {
    let mut bytes = vec![253];
    bytes.extend(len.to_le_bytes());
    bytes
}

#[test]
fn lengths_that_nothing_stands_behind_are_refused_at_once() {
    for len in [u64::MAX, 1 << 60, 1 << 40, 1 << 31, 1 << 27] {
        let bytes = length(len);
        assert!(decoded::<String>(Codec::Bincode, &bytes).is_err());
        assert!(decoded::<Vec<u8>>(Codec::Bincode, &bytes).is_err());
        assert!(decoded::<Vec<[u64; 32]>>(Codec::Bincode, &bytes).is_err());
        assert!(decoded::<HashMap<String, String>>(Codec::Bincode, &bytes).is_err());
        assert!(decoded::<Metadata>(Codec::Bincode, &bytes).is_err());
        let refused = decoded::<Vec<()>>(Codec::Bincode, &bytes);
        assert!(
            matches!(refused, Err(DecodeError::TooManyElements)),
            "{refused:?}"
        );
        let refused = decoded::<HashSet<()>>(Codec::Bincode, &bytes);
        assert!(matches!(refused, Err(DecodeError::TooManyElements)));
        let mut twice = length(1 << 60);
        twice.extend(bytes);
        assert!(decoded::<Vec<Vec<()>>>(Codec::Bincode, &twice).is_err());
    }
}

#[test]
fn elements_without_content_are_limited_on_both_ways_alike() {
    let most = vec![(); 65_536];
    let bytes = encoded(Codec::Bincode, &most);
    assert_eq!(
        decoded::<Vec<()>>(Codec::Bincode, &bytes).expect("decoded"),
        most
    );
    let refused = Codec::Bincode.encode(&vec![(); 65_536 + 100], &mut Vec::new());
    assert!(
        refused
            .expect_err("too many")
            .reason
            .contains("without content")
    );
    let many = vec![0_u8; 1_000_000];
    let bytes = encoded(Codec::Bincode, &many);
    assert_eq!(
        decoded::<Vec<u8>>(Codec::Bincode, &bytes).expect("decoded"),
        many
    );
}

#[test]
fn what_is_left_over_or_not_text_is_refused() {
    for codec in CODECS {
        let mut bytes = encoded(codec, &7_u8);
        bytes.push(b'x');
        assert!(decoded::<u8>(codec, &bytes).is_err());
        assert!(decoded::<u8>(codec, &[]).is_err());
    }
    let left_over = decoded::<u8>(Codec::Bincode, &[7, 8, 9]);
    assert!(matches!(
        left_over,
        Err(DecodeError::TrailingBytes { count: 2 })
    ));
    assert!(decoded::<String>(Codec::Bincode, &[2, 0xff, 0xfe]).is_err());
    assert!(decoded::<String>(Codec::Json, &[b'"', 0xff, b'"']).is_err());
    assert!(decoded::<char>(Codec::Bincode, &[0xed, 0xa0, 0x80]).is_err());
    assert!(decoded::<bool>(Codec::Bincode, &[2]).is_err());
    assert!(decoded::<Option<u8>>(Codec::Bincode, &[2, 0]).is_err());
}

#[test]
fn codec_ids_stay_what_they_are() {
    assert_eq!([Codec::Bincode.id(), Codec::Json.id()], [1, 2]);
    for id in 0..=u8::MAX {
        assert_eq!(
            Codec::from_id(id).map(Codec::id),
            (1..=2).contains(&id).then_some(id)
        );
    }
}

/// A state as they are in practice, with everything that takes a length or a tag.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    name: String,
    tags: Vec<String>,
    counts: BTreeMap<String, u64>,
    shapes: Vec<Option<Shape>>,
    units: Vec<()>,
    bytes: Vec<u8>,
    letter: char,
    huge: (i128, u128),
    array: [u16; 3],
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        Just(Shape::Dot),
        (-1e300..1e300).prop_map(Shape::Circle),
        (any::<i32>(), any::<i32>()).prop_map(|(a, b)| Shape::Line(a, b)),
        (any::<String>(), any::<Option<(u8, u8)>>())
            .prop_map(|(text, at)| Shape::Label { text, at }),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop::collection::vec(inner, 0..4).prop_map(Shape::Group)
    })
}

fn state() -> impl Strategy<Value = State> {
    (
        any::<(String, Vec<String>, BTreeMap<String, u64>)>(),
        prop::collection::vec(prop::option::of(shape()), 0..4),
        any::<(u8, Vec<u8>, char, (i128, u128), [u16; 3])>(),
    )
        .prop_map(|((name, tags, counts), shapes, rest)| State {
            name,
            tags,
            counts,
            shapes,
            units: vec![(); rest.0.into()],
            bytes: rest.1,
            letter: rest.2,
            huge: rest.3,
            array: rest.4,
        })
}

fn metadata() -> impl Strategy<Value = Metadata> {
    any::<Vec<(String, String)>>().prop_map(|pairs| {
        let mut metadata = Metadata::new();
        for (name, value) in pairs {
            metadata.insert(name, value);
        }
        metadata
    })
}

/// Decodes bytes as everything that is ever read from a store; only what comes back counts.
fn decode_as_everything(codec: Codec, bytes: &[u8]) {
    for declared in Drawn::EVENTS {
        let event = event::decode::<Drawn>(declared.name, declared.version, codec, bytes);
        if let Ok(event) = event {
            assert_eq!(Drawn::EVENTS.get(event.index()), Some(declared));
        }
    }
    drop(decoded::<State>(codec, bytes));
    drop(decoded::<Metadata>(codec, bytes));
    drop(decoded::<Result<usize, String>>(codec, bytes));
    drop(decoded::<Chain>(codec, bytes));
    drop(decoded::<Expr>(codec, bytes));
    drop(decoded::<Nested>(codec, bytes));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn states_come_back(state in state()) {
        for codec in CODECS {
            prop_assert_eq!(decoded::<State>(codec, &encoded(codec, &state)).expect("decoded"), state.clone());
        }
    }

    #[test]
    fn events_come_back(shape in shape()) {
        for codec in CODECS {
            let event = Drawn::Added(shape.clone());
            let mut payload = Vec::new();
            event::encode(&event, codec, &mut payload).expect("encoded");
            prop_assert_eq!(event::decode::<Drawn>("Added", 1, codec, &payload).expect("decoded"), event);
        }
    }

    #[test]
    fn metadata_comes_back(metadata in metadata()) {
        for codec in CODECS {
            prop_assert_eq!(decoded::<Metadata>(codec, &encoded(codec, &metadata)).expect("decoded"), metadata.clone());
        }
    }

    #[test]
    fn random_bytes_harm_nobody(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        for codec in CODECS {
            decode_as_everything(codec, &bytes);
        }
    }

    /// Length prefixes of all sizes, tags and small numbers: what hostile bytes are made of.
    #[test]
    fn bytes_full_of_prefixes_harm_nobody(bytes in prop::collection::vec(
        prop_oneof![Just(0_u8), Just(1), Just(2), Just(251), Just(252), Just(253), Just(254), Just(255)],
        0..256,
    )) {
        decode_as_everything(Codec::Bincode, &bytes);
    }

    /// A stored value with one byte changed, cut off, or with more behind it.
    #[test]
    fn damaged_bytes_harm_nobody(
        state in state(), place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        for codec in CODECS {
            let bytes = encoded(codec, &state);
            let mut flipped = bytes.clone();
            flipped[place.index(bytes.len())] = byte;
            decode_as_everything(codec, &flipped);
            let cut = cut.index(bytes.len());
            prop_assert!(decoded::<State>(codec, &bytes[..cut]).is_err());
            let mut longer = bytes;
            longer.push(byte | 0x80);
            prop_assert!(decoded::<State>(codec, &longer).is_err());
        }
    }
}
