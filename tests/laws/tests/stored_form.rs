//! The stored form of each type, byte for byte: what a store holds must be read by later versions.

use serde::Serialize;
use serde::de::DeserializeOwned;
use statefn::codec::Codec;
use statefn::crdt::{
    Clock, Flag, GCounter, GSet, LwwMap, LwwRegister, OrMap, OrSet, PnCounter, PnCounterMap,
    ReplicaId, Vote, Writer,
};
use statefn::shape::Shape;

fn writer(id: u64) -> Writer {
    Writer::new(ReplicaId::new(id), 1)
}

#[track_caller]
fn is_stored<T>(value: &T, expected: &[u8], shape: &str)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let mut bytes = Vec::new();
    assert!(Codec::Bincode.encode(value, &mut bytes).is_ok());
    assert_eq!(bytes, expected);
    let back: Option<T> = Codec::Bincode.decode(expected).ok();
    assert_eq!(back.as_ref(), Some(value));
    let traced = Shape::of::<T>(Codec::Bincode);
    let text = traced.map_or_else(|error| error.to_string(), |shape| shape.text().to_owned());
    assert_eq!(text.split_whitespace().collect::<Vec<_>>().join(" "), shape);
}

#[test]
fn counters_flags_votes_and_sets_that_grow() {
    let mut grows = GCounter::default();
    grows.increment(&mut writer(2), 3);
    grows.increment(&mut writer(1), 4);
    is_stored(&grows, &[2, 1, 4, 2, 3], "[(u64, u64)]");

    let mut counter = PnCounter::default();
    counter.increment(&mut writer(1), 3);
    counter.decrement(&mut writer(1), 4);
    is_stored(&counter, &[1, 1, 3, 4], "[(u64, (u64, u64))]");

    let mut set = GSet::default();
    set.insert(9_u8);
    set.insert(5);
    is_stored(&set, &[2, 5, 9], "[u8]");

    let mut flag = Flag::default();
    flag.enable();
    is_stored(&flag, &[1], "bool");

    let mut vote = Vote::default();
    vote.vote(&mut writer(1), true);
    is_stored(&vote, &[1, 1, 1, 1], "[(u64, (u64, bool))]");
}

#[test]
fn registers() {
    let mut register = LwwRegister::default();
    register.set_by(&mut writer(1), Clock::Custom(-1), 7_u8);
    let shape = "option<{ clock: i64 replica: u64 value: u8 }>";
    is_stored(&register, &[1, 1, 1, 7], shape);
}

const CONTEXT: &str = "context: [(u64, [(u64, u64)])] is_listed: bool";

#[test]
fn sets_and_maps() {
    let mut set = OrSet::default();
    set.insert(&mut writer(1), 5_u8);
    set.insert(&mut writer(2), 5);
    set.insert(&mut writer(1), 9);
    let bytes = [2, 1, 1, 1, 2, 2, 1, 1, 1, 0, 2, 5, 1, 2, 1, 9, 1, 1, 2];
    let shape = format!("{{ {CONTEXT} entries: [(u8, [(u32, u64, unit)])] }}");
    is_stored(&set, &bytes, &shape);

    let mut map: OrMap<u8, Flag> = OrMap::default();
    map.update(&mut writer(1), 5, |flag, _| flag.enable());
    let bytes = [1, 1, 1, 1, 1, 0, 1, 5, 1, 1, 1, 1, 1];
    let slot = |value: &str| {
        let entries = format!("entries: [(u8, [(u32, u64, {{ since: u64 value: {value} }})])]");
        format!("{{ {CONTEXT} {entries} }}")
    };
    is_stored(&map, &bytes, &slot("bool"));

    let mut values = LwwMap::default();
    values.put_by(&mut writer(1), Clock::Custom(1), 5_u8, 7_u8);
    let bytes = [1, 1, 1, 1, 1, 0, 1, 5, 1, 1, 1, 1, 1, 2, 1, 7];
    let shape = slot("option<{ clock: i64 replica: u64 value: u8 }>");
    is_stored(&values, &bytes, &shape);

    let mut counters = PnCounterMap::default();
    counters.increment(&mut writer(1), 5_u8, 3);
    let bytes = [1, 1, 1, 1, 1, 0, 1, 5, 1, 1, 1, 1, 1, 1, 3, 0];
    is_stored(&counters, &bytes, &slot("[(u64, (u64, u64))]"));
}

#[test]
fn churn_leaves_no_trace_in_a_set_or_map() {
    let mut set = OrSet::default();
    let mut map: OrMap<u8, OrSet<u16>> = OrMap::default();
    for round in 0..10_000_u16 {
        set.insert(&mut writer(1), round);
        set.remove(&round);
        map.update(&mut writer(1), (round % 3) as u8, |set, me| {
            set.insert(me, round);
            set.remove(&round)
        });
        if round % 7 == 0 {
            map.remove(&((round % 3) as u8));
        }
    }
    let size = |bytes: &mut Vec<u8>| std::mem::take(bytes).len();
    let mut bytes = Vec::new();
    Codec::Bincode.encode(&set, &mut bytes).expect("encodes");
    assert!(size(&mut bytes) < 12, "no tombstones");
    Codec::Bincode.encode(&map, &mut bytes).expect("encodes");
    assert!(size(&mut bytes) < 120, "no tombstones inside either");
}
