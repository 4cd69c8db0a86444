//! Each type beside a plain model: what it shows while nothing is concurrent, and which additions
//! are there when something is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use statefn::crdt::{
    Clock, Crdt, Flag, GCounter, GSet, LwwMap, OrMap, OrSet, PnCounter, PnCounterMap, ReplicaId,
    Writer,
};
use statefn_laws::{
    MapChange, SetChange, change_counters, change_map, change_set, change_values, map_changes,
    set_changes,
};

fn writer(at: usize) -> Writer {
    Writer::new(ReplicaId::new(at as u64 + 1), 5)
}

/// Three replicas change the value in turns, each with what the one before did: all show what the
/// model shows, at any time.
fn in_turns<C: Crdt, O: Clone, M: Default + PartialEq + fmt::Debug>(
    changes: &[(u8, O)],
    change: impl Fn(&mut C, &mut Writer, O),
    model_change: impl Fn(&mut M, O),
    shown: impl Fn(&C) -> M,
) -> TestCaseResult {
    let mut replicas = [C::default(), C::default(), C::default()];
    let mut model = M::default();
    for (at, operation) in changes {
        let at = usize::from(at % 3);
        let mut delta = None;
        if let Some(replica) = replicas.get_mut(at) {
            change(replica, &mut writer(at), operation.clone());
            delta = replica.take_delta();
        }
        model_change(&mut model, operation.clone());
        let delta = delta.unwrap_or_default();
        for replica in &mut replicas {
            replica.merge(&delta);
            prop_assert_eq!(&shown(replica), &model);
        }
    }
    Ok(())
}

fn model_set(model: &mut BTreeSet<u8>, change: SetChange) {
    match change {
        SetChange::Insert(element) | SetChange::InsertAbsent(element) => {
            model.insert(element);
        }
        SetChange::Remove(element) => {
            model.remove(&element);
        }
        SetChange::Clear => model.clear(),
    }
}

fn model_map<V: Default, O>(
    model: &mut BTreeMap<u8, V>,
    change: MapChange<O>,
    inner: impl FnOnce(&mut V, O),
) {
    match change {
        MapChange::Update(key, change) => inner(model.entry(key).or_default(), change),
        MapChange::Remove(key) => {
            model.remove(&key);
        }
        MapChange::Clear => model.clear(),
    }
}

fn elements(set: &OrSet<u8>) -> BTreeSet<u8> {
    assert_eq!(set.len(), set.iter().count());
    set.iter().copied().collect()
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(10_000)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn counters_in_turns_are_numbers(changes in vec((any::<u8>(), -9_i64..9), 0..20)) {
        let add = |sum: &mut i64, by| *sum += by;
        in_turns(&changes, |counter: &mut PnCounter, me, by| counter.increment(me, by), add, PnCounter::value)?;
        let up: Vec<_> = changes.iter().map(|(at, by)| (*at, by.unsigned_abs())).collect();
        let add = |sum: &mut u64, by| *sum += by;
        in_turns(&up, |counter: &mut GCounter, me, by| counter.increment(me, by), add, GCounter::value)?;
    }

    #[test]
    fn flags_and_growing_sets_in_turns_are_bools_and_sets(changes in vec((any::<u8>(), 0_u8..9), 0..20)) {
        let enable = |flag: &mut Flag, _: &mut Writer, by| if by == 0 { flag.enable(); };
        in_turns(&changes, enable, |flag, by| *flag |= by == 0, Flag::is_enabled)?;
        let insert = |set: &mut GSet<u8>, _: &mut Writer, element| { set.insert(element); };
        let model = |set: &mut BTreeSet<u8>, element| { set.insert(element); };
        in_turns(&changes, insert, model, |set| set.iter().copied().collect())?;
    }

    #[test]
    fn a_set_in_turns_is_a_set(changes in vec((any::<u8>(), set_changes()), 0..20)) {
        in_turns(&changes, change_set, model_set, elements)?;
    }

    #[test]
    fn a_map_of_counters_in_turns_is_a_map(changes in vec((any::<u8>(), map_changes(0_u64..4)), 0..20)) {
        let change = |map: &mut OrMap<u8, GCounter>, me: &mut Writer, change| {
            change_map(map, me, change, GCounter::increment);
        };
        let model = |model: &mut BTreeMap<u8, u64>, change| {
            model_map(model, change, |sum, by| *sum += by);
        };
        let shown = |map: &OrMap<u8, GCounter>| {
            map.iter().map(|(key, counter)| (*key, counter.value())).collect()
        };
        in_turns(&changes, change, model, shown)?;
    }

    #[test]
    fn a_map_of_sets_in_turns_is_a_map_of_sets(
        changes in vec((any::<u8>(), map_changes(set_changes())), 0..20)
    ) {
        let change = |map: &mut OrMap<u8, OrSet<u8>>, me: &mut Writer, change| {
            change_map(map, me, change, change_set);
        };
        let model = |model: &mut BTreeMap<u8, BTreeSet<u8>>, change| {
            model_map(model, change, model_set);
        };
        // A key comes to be with its first update, also if that leaves the value empty.
        let shown = |map: &OrMap<u8, OrSet<u8>>| {
            map.iter().map(|(key, set)| (*key, elements(&set))).collect()
        };
        in_turns(&changes, change, model, shown)?;
    }

    #[test]
    fn a_map_of_values_in_turns_is_a_map(
        changes in vec((any::<u8>(), map_changes(any::<u8>())), 0..20)
    ) {
        let change = |map: &mut LwwMap<u8, u8>, me: &mut Writer, change: MapChange<u8>| {
            let change = match change {
                MapChange::Update(key, value) => MapChange::Update(key, (Clock::LastWins, value)),
                MapChange::Remove(key) => MapChange::Remove(key),
                MapChange::Clear => MapChange::Clear,
            };
            change_values(map, me, change);
        };
        let model = |model: &mut BTreeMap<u8, u8>, change| {
            model_map(model, change, |value, new| *value = new);
        };
        in_turns(&changes, change, model, |map| map.iter().map(|(key, value)| (*key, *value)).collect())?;
    }

    #[test]
    fn a_map_of_counters_that_go_both_ways_in_turns_is_a_map(
        changes in vec((any::<u8>(), map_changes(0_u8..9)), 0..20)
    ) {
        let model = |model: &mut BTreeMap<u8, i64>, change| {
            let signed = |by: u8| if by.is_multiple_of(2) { i64::from(by) } else { -i64::from(by) };
            model_map(model, change, |sum, by| *sum += signed(by));
        };
        let shown = |map: &PnCounterMap<u8>| map.iter().map(|(key, value)| (*key, value)).collect();
        in_turns(&changes, change_counters, model, shown)?;
    }

    #[test]
    fn a_set_holds_exactly_the_additions_that_nobody_removed(
        steps in vec((any::<[u8; 2]>(), set_changes()), 0..24)
    ) {
        let steps: Vec<_> = steps.into_iter().map(|(at, change)| (at, MapChange::Update(0, change))).collect();
        let change = |set: &mut OrSet<u8>, me: &mut Writer, change| {
            if let MapChange::Update(_, change) = change { change_set(set, me, change); }
        };
        let (set, expected) = concurrently(&steps, change, |set, key, element| key == 0 && set.contains(&element));
        let expected: BTreeSet<u8> = expected.into_iter().map(|(_, element)| element).collect();
        prop_assert_eq!(elements(&set), expected);
    }

    #[test]
    fn a_map_keeps_every_addition_that_nobody_removed(
        steps in vec((any::<[u8; 2]>(), map_changes(set_changes())), 0..24)
    ) {
        let change = |map: &mut OrMap<u8, OrSet<u8>>, me: &mut Writer, change| {
            change_map(map, me, change, change_set);
        };
        let has = |map: &OrMap<u8, OrSet<u8>>, key, element| {
            map.get(&key).is_some_and(|set| set.contains(&element))
        };
        let (map, expected) = concurrently(&steps, change, has);
        for (key, element) in expected {
            prop_assert!(has(&map, key, element), "{} of {} is missing in {:?}", element, key, map);
        }
    }
}

/// An addition: its number, and what was added.
type Addition = (usize, (u8, u8));

/// Three replicas change a map of sets concurrently, and hand their states to each other now and
/// then. Answers what they come to, and all that was added by an addition that no removal had seen:
/// the definition of an add-wins set in Shapiro et al. (INRIA RR-7506), kept by hand.
fn concurrently<C: Crdt>(
    steps: &[([u8; 2], MapChange<SetChange>)],
    change: impl Fn(&mut C, &mut Writer, MapChange<SetChange>),
    has: impl Fn(&C, u8, u8) -> bool,
) -> (C, BTreeSet<(u8, u8)>) {
    let mut replicas: [(C, BTreeSet<Addition>); 3] = Default::default();
    let mut gone = BTreeSet::new();
    for (number, ([at, from], operation)) in steps.iter().enumerate() {
        let (at, from) = (usize::from(at % 3), usize::from(from % 6));
        let handed_over = replicas.get(from).cloned();
        let Some((state, seen)) = replicas.get_mut(at) else {
            continue;
        };
        if let Some((other, also)) = handed_over {
            state.merge(&other);
            seen.extend(also);
        }
        let is_idle = match operation {
            MapChange::Update(key, SetChange::InsertAbsent(element)) => has(state, *key, *element),
            _ => false,
        };
        if is_idle {
            continue;
        }
        let (key, element) = scope(*operation);
        // An addition takes the place of those that it has seen.
        let is_meant = |(_, (of, what)): &&Addition| {
            key.is_none_or(|key| key == *of) && element.is_none_or(|element| element == *what)
        };
        gone.extend(seen.iter().filter(is_meant).copied());
        let adds = matches!(
            operation,
            MapChange::Update(_, SetChange::Insert(_) | SetChange::InsertAbsent(_))
        );
        seen.extend(key.zip(element).filter(|_| adds).map(|what| (number, what)));
        change(state, &mut writer(at), *operation);
    }
    let [(mut state, mut seen), others @ ..] = replicas;
    for (other, also) in others {
        state.merge(&other);
        seen.extend(also);
    }
    let there = seen.difference(&gone).map(|(_, what)| *what);
    (state, there.collect())
}

/// The key and the element that an operation is about; `None` for all.
fn scope(operation: MapChange<SetChange>) -> (Option<u8>, Option<u8>) {
    match operation {
        MapChange::Update(key, SetChange::Clear) | MapChange::Remove(key) => (Some(key), None),
        MapChange::Update(
            key,
            SetChange::Insert(element)
            | SetChange::InsertAbsent(element)
            | SetChange::Remove(element),
        ) => (Some(key), Some(element)),
        MapChange::Clear => (None, None),
    }
}

type Sets = OrMap<u8, OrSet<u16>>;

#[test]
fn a_key_that_is_used_again_shares_no_dot_with_its_earlier_life() {
    let (mut here, mut there) = (Sets::default(), Sets::default());
    let fill = |map: &mut Sets, from: u16| {
        map.update(&mut writer(0), 1, |set, me| {
            for element in from..from + 5 {
                set.insert(me, element);
            }
        });
    };
    fill(&mut here, 0);
    there.merge(&here);
    // What the other one removes, it keeps in mind, in a slot that the removal of the key does not see.
    there.update(&mut writer(1), 1, |set, _| {
        (0..5).for_each(|element| {
            set.remove(&element);
        });
    });
    here.remove(&1);
    fill(&mut here, 100);
    here.merge(&there);
    let found: Vec<u16> = here
        .get(&1)
        .iter()
        .flat_map(|set| set.iter().copied().collect::<Vec<_>>())
        .collect();
    assert_eq!(found, [100, 101, 102, 103, 104]);
}

#[test]
fn contexts_inside_a_map_stay_one_range() {
    let mut map = Sets::default();
    for round in 0..3_000_u16 {
        let key = u8::try_from(round % 3).unwrap_or(0);
        map.update(&mut writer(0), key, |set, me| {
            set.insert(me, round);
            set.remove(&round.wrapping_sub(9))
        });
    }
    let mut bytes = Vec::new();
    assert!(statefn::codec::Codec::Json.encode(&map, &mut bytes).is_ok());
    assert!(
        bytes.len() < 1_500,
        "{} bytes for nine elements",
        bytes.len()
    );
}
