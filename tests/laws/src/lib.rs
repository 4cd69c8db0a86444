//! Changes of each CRDT as values, so that a property test can make them up.

use proptest::prelude::*;
use statefn::crdt::{Clock, LwwMap, LwwRegister, OrMap, OrSet, PnCounterMap, Writer};

/// A change of a set. Few elements, so that replicas meet.
#[derive(Clone, Copy, Debug)]
pub enum SetChange {
    /// Adds, also if it is there.
    Insert(u8),
    /// Adds what is not there.
    InsertAbsent(u8),
    /// Removes one.
    Remove(u8),
    /// Removes all.
    Clear,
}

/// Changes of sets.
pub fn set_changes() -> impl Strategy<Value = SetChange> {
    (0_u8..12, 0_u8..4).prop_map(|(kind, element)| match kind {
        0..6 => SetChange::Insert(element),
        6 => SetChange::InsertAbsent(element),
        7..11 => SetChange::Remove(element),
        _ => SetChange::Clear,
    })
}

/// Applies it.
pub fn change_set(set: &mut OrSet<u8>, writer: &mut Writer, change: SetChange) {
    match change {
        SetChange::Insert(element) => {
            set.insert(writer, element);
        }
        SetChange::InsertAbsent(element) => {
            set.insert_absent(writer, element);
        }
        SetChange::Remove(element) => {
            set.remove(&element);
        }
        SetChange::Clear => {
            set.clear();
        }
    }
}

/// A change of a map, with a change of a value inside.
#[derive(Clone, Copy, Debug)]
pub enum MapChange<C> {
    /// Changes a value.
    Update(u8, C),
    /// Removes one.
    Remove(u8),
    /// Removes all.
    Clear,
}

/// Changes of maps.
pub fn map_changes<S>(inner: S) -> impl Strategy<Value = MapChange<S::Value>>
where
    S: Strategy,
    S::Value: Clone,
{
    (0_u8..12, 0_u8..3, inner).prop_map(|(kind, key, change)| match kind {
        0..8 => MapChange::Update(key, change),
        8..11 => MapChange::Remove(key),
        _ => MapChange::Clear,
    })
}

/// Applies it to a map of any values.
pub fn change_map<V: statefn::crdt::Crdt, C>(
    map: &mut OrMap<u8, V>,
    writer: &mut Writer,
    change: MapChange<C>,
    inner: impl FnOnce(&mut V, &mut Writer, C),
) {
    match change {
        MapChange::Update(key, change) => {
            map.update(writer, key, |value, writer| inner(value, writer, change));
        }
        MapChange::Remove(key) => {
            map.remove(&key);
        }
        MapChange::Clear => {
            map.clear();
        }
    }
}

/// Applies it to a map of counters: an even number is added, an odd one taken away.
pub fn change_counters(map: &mut PnCounterMap<u8>, writer: &mut Writer, change: MapChange<u8>) {
    match change {
        MapChange::Update(key, by) if by % 2 == 0 => map.increment(writer, key, by.into()),
        MapChange::Update(key, by) => map.decrement(writer, key, by.into()),
        MapChange::Remove(key) => {
            map.remove(&key);
        }
        MapChange::Clear => {
            map.clear();
        }
    }
}

/// Applies it to a map of values.
pub fn change_values(
    map: &mut LwwMap<u8, u8>,
    writer: &mut Writer,
    change: MapChange<(Clock, u8)>,
) {
    match change {
        MapChange::Update(key, (clock, value)) => {
            map.put_by(writer, clock, key, value);
        }
        MapChange::Remove(key) => {
            map.remove(&key);
        }
        MapChange::Clear => {
            map.clear();
        }
    }
}

/// Writes to registers by all clocks.
pub fn writes() -> impl Strategy<Value = (Clock, u8)> {
    (0_u8..6, any::<u8>(), -2_i64..3).prop_map(|(kind, value, number)| {
        let clock = match kind {
            0..3 => Clock::LastWins,
            3 => Clock::FirstWins,
            4 => Clock::Custom(number),
            _ => Clock::CustomAutoIncrement(number),
        };
        (clock, value)
    })
}

/// Applies it.
pub fn write(register: &mut LwwRegister<u8>, writer: &mut Writer, (clock, value): (Clock, u8)) {
    register.set_by(writer, clock, value);
}
