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

/// A struct of a user, and one inside a map.
mod derived {
    use statefn::crdt::{Crdt, Writer};

    use super::*;

    #[derive(Clone, Debug, Default, PartialEq, Crdt, serde::Serialize, serde::Deserialize)]
    pub(super) struct Page {
        views: GCounter,
        likes: OrSet<u8>,
        title: LwwRegister<u8>,
    }

    #[derive(Clone, Copy, Debug)]
    pub(super) enum PageChange {
        View,
        Likes(statefn_laws::SetChange),
        Title(u8),
    }

    pub(super) fn page_changes() -> impl Strategy<Value = PageChange> {
        prop_oneof![
            Just(PageChange::View),
            set_changes().prop_map(PageChange::Likes),
            any::<u8>().prop_map(PageChange::Title),
        ]
    }

    pub(super) fn change_page(page: &mut Page, writer: &mut Writer, change: PageChange) {
        match change {
            PageChange::View => page.views.increment(writer, 1),
            PageChange::Likes(change) => change_set(&mut page.likes, writer, change),
            PageChange::Title(title) => {
                page.title.set(writer, title);
            }
        }
    }

    statefn::crdt_laws!(Page, page_changes(), change_page);
}

mod or_map_of_derived {
    use super::derived::{Page, change_page, page_changes};
    use super::*;

    statefn::crdt_laws!(
        OrMap<u8, Page>,
        map_changes(page_changes()),
        |map, writer, change| change_map(map, writer, change, change_page)
    );
}

mod pn_counter_map {
    use super::*;

    statefn::crdt_laws!(PnCounterMap<u8>, map_changes(0_u8..5), change_counters);
}
