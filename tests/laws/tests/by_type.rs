//! The laws. Each module is a type, each test in it a law on 10,000 histories.

use proptest::prelude::*;
use statefn::crdt::{
    Flag, GCounter, GSet, LwwMap, LwwRegister, OrMap, OrSet, PnCounter, PnCounterMap, Vote,
};
use statefn_laws::{
    change_counters, change_map, change_set, change_values, map_changes, set_changes, write, writes,
};

mod g_counter {
    use super::*;

    statefn::crdt_laws!(GCounter, edges(), GCounter::increment);

    /// Small numbers, and some near the end.
    fn edges() -> impl Strategy<Value = u64> {
        prop_oneof![4 => 0_u64..5, 1 => u64::MAX - 5..=u64::MAX]
    }
}

mod pn_counter {
    use super::*;

    statefn::crdt_laws!(PnCounter, edges(), PnCounter::increment);

    /// Small numbers, and some near both ends.
    fn edges() -> impl Strategy<Value = i64> {
        prop_oneof![
            6 => -5_i64..5,
            1 => i64::MAX - 2..=i64::MAX,
            1 => i64::MIN..=i64::MIN + 2,
        ]
    }
}

mod g_set {
    use super::*;

    statefn::crdt_laws!(GSet<u8>, 0_u8..6, |set, _, element| {
        set.insert(element);
    });
}

mod or_set {
    use super::*;

    statefn::crdt_laws!(OrSet<u8>, set_changes(), change_set);
}

mod flag {
    use super::*;

    statefn::crdt_laws!(Flag, any::<bool>(), |flag, _, enables| {
        if enables {
            flag.enable();
        }
    });
}

mod lww_register {
    use super::*;

    statefn::crdt_laws!(LwwRegister<u8>, writes(), write);
}

mod vote {
    use super::*;

    statefn::crdt_laws!(Vote, any::<bool>(), |votes, writer, vote| {
        votes.vote(writer, vote);
    });
}

mod or_map_of_counters {
    use super::*;

    statefn::crdt_laws!(
        OrMap<u8, GCounter>,
        map_changes(0_u64..4),
        |map, writer, change| change_map(map, writer, change, |counter, writer, by| {
            counter.increment(writer, by);
        })
    );
}

mod or_map_of_sets {
    use super::*;

    statefn::crdt_laws!(
        OrMap<u8, OrSet<u8>>,
        map_changes(set_changes()),
        |map, writer, change| change_map(map, writer, change, change_set)
    );
}

mod or_map_of_maps {
    use super::*;

    statefn::crdt_laws!(
        OrMap<u8, OrMap<u8, OrSet<u8>>>,
        map_changes(map_changes(set_changes())),
        |map, writer, change| change_map(map, writer, change, |inner, writer, change| {
            change_map(inner, writer, change, change_set);
        })
    );
}

mod lww_map {
    use super::*;

    statefn::crdt_laws!(LwwMap<u8, u8>, map_changes(writes()), change_values);
}

mod pn_counter_map {
    use super::*;

    statefn::crdt_laws!(PnCounterMap<u8>, map_changes(0_u8..5), change_counters);
}
