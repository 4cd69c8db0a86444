//! Counters, clocks and dots at their ends.

use statefn::codec::Codec;
use statefn::crdt::{
    Clock, Crdt, GCounter, LwwRegister, OrMap, OrSet, PnCounter, ReplicaId, Vote, Writer,
};

fn writer(id: u64) -> Writer {
    Writer::new(ReplicaId::new(id), 1_764_000_000_000)
}

#[test]
fn a_growing_counter_saturates_alike_in_whatever_order_it_merges() {
    let mut one = GCounter::default();
    one.increment(&mut writer(1), u64::MAX - 1);
    one.increment(&mut writer(1), 5);
    assert_eq!(one.value(), u64::MAX);
    one.take_delta();
    one.increment(&mut writer(1), 1);
    assert!(one.take_delta().is_none(), "a full count is no change");

    let mut two = GCounter::default();
    two.increment(&mut writer(2), 7);
    let mut both = two.clone();
    both.merge(&one);
    one.merge(&two);
    assert_eq!((one.value(), both.value()), (u64::MAX, u64::MAX));
}

#[test]
fn a_counter_that_goes_both_ways_saturates_its_value_and_not_what_it_counted() {
    let mut counter = PnCounter::default();
    counter.increment(&mut writer(1), i64::MAX);
    counter.increment(&mut writer(2), i64::MAX);
    assert_eq!(counter.value(), i64::MAX);
    counter.decrement(&mut writer(3), i64::MAX);
    counter.decrement(&mut writer(3), 1);
    assert_eq!(counter.value(), i64::MAX - 1);

    let mut low = PnCounter::default();
    low.increment(&mut writer(1), i64::MIN);
    assert_eq!(low.value(), i64::MIN);
    low.decrement(&mut writer(2), 1);
    assert_eq!(low.value(), i64::MIN);
    low.decrement(&mut writer(2), i64::MIN);
    assert_eq!(low.value(), -2);
}

#[test]
fn a_clock_at_its_end_refuses_further_writes_of_the_same_replica() {
    let mut register = LwwRegister::default();
    assert!(register.set_by(&mut writer(1), Clock::Custom(i64::MAX), "end"));
    assert!(!register.set(&mut writer(1), "beyond"));
    assert!(!register.set_by(&mut writer(1), Clock::CustomAutoIncrement(0), "beyond"));
    assert!(register.set(&mut writer(2), "tie"), "the larger id wins");
    assert_eq!(register.get(), Some(&"tie"));
}

#[test]
fn the_first_write_stays_first() {
    let mut register = LwwRegister::default();
    let at = |now| Writer::new(ReplicaId::new(1), now);
    assert!(register.set_by(&mut at(50), Clock::FirstWins, "second"));
    assert!(!register.set_by(&mut at(51), Clock::FirstWins, "third"));
    assert!(register.set_by(&mut at(49), Clock::FirstWins, "first"));
    assert_eq!(register.get(), Some(&"first"));
}

#[test]
fn a_clock_that_is_past_its_range_still_orders_what_was_seen() {
    let mut register = LwwRegister::default();
    let mut late = Writer::new(ReplicaId::new(9), u64::MAX);
    assert!(register.set(&mut late, "one"));
    assert!(register.set(&mut late, "two"));
    assert!(register.set(&mut writer(1), "three"));
    assert_eq!(register.get(), Some(&"three"));
}

/// The bytes of an empty set that has seen all dots of replica 1 that there can be.
fn exhausted() -> Vec<u8> {
    let mut set = OrSet::default();
    set.insert(&mut writer(1), 7_u8);
    set.remove(&7);
    let mut bytes = Vec::new();
    assert!(Codec::Bincode.encode(&set, &mut bytes).is_ok());
    // One replica, number 1, one range: from 1, one dot; not listed; no entries.
    assert_eq!(bytes, [1, 1, 1, 1, 1, 0, 0]);
    let mut forged = vec![1, 1, 1, 1, 253];
    forged.extend_from_slice(&(u64::MAX - 1).to_le_bytes());
    forged.extend_from_slice(&[0, 0]);
    forged
}

#[test]
fn a_replica_whose_dots_were_forged_away_refuses_and_says_so() {
    let mut set: OrSet<u8> = Codec::Bincode.decode(&exhausted()).expect("a context");
    let mut me = writer(1);
    set.insert(&mut me, 3);
    assert!(me.is_exhausted());
    assert!(set.is_empty() && set.take_delta().is_none());

    let mut other = writer(2);
    assert!(set.insert(&mut other, 3));
    assert!(!other.is_exhausted());

    let forged: OrMap<u8, OrSet<u8>> = Codec::Bincode.decode(&exhausted()).expect("a context");
    let mut map = forged;
    let mut me = writer(1);
    map.update(&mut me, 1, |set, me| set.insert(me, 3));
    assert!(me.is_exhausted());
    assert!(map.is_empty() && map.take_delta().is_none());
}

#[test]
fn bytes_out_of_order_are_refused() {
    let refused = |bytes: &[u8]| Codec::Bincode.decode::<OrSet<u8>>(bytes).is_err();
    // A dot outside of the context; a place outside of its replicas; place 0.
    assert!(refused(&[1, 1, 1, 1, 1, 0, 1, 7, 1, 1, 2]));
    assert!(refused(&[1, 1, 1, 1, 1, 0, 1, 7, 1, 2, 1]));
    assert!(refused(&[1, 1, 1, 1, 1, 0, 1, 7, 1, 0, 1]));
    // An element without dots; the same element twice.
    assert!(refused(&[1, 1, 1, 1, 1, 0, 1, 7, 0]));
    assert!(refused(&[1, 1, 1, 1, 1, 0, 2, 7, 1, 1, 1, 7, 1, 1, 1]));
    // Ranges that touch; an empty range; a range without end; the same replica twice.
    assert!(refused(&[1, 1, 2, 1, 1, 1, 1, 0, 0]));
    assert!(refused(&[1, 1, 1, 1, 0, 0, 0]));
    let endless = [&[1, 1, 1, 2, 253][..], &u64::MAX.to_le_bytes(), &[0, 0]].concat();
    assert!(refused(&endless));
    assert!(refused(&[2, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]));
    // The same with nothing wrong.
    assert!(!refused(&[1, 1, 1, 1, 1, 0, 1, 7, 1, 1, 1]));
    assert!(Codec::Bincode.decode::<GCounter>(&[2, 5, 1, 5, 1]).is_err());
}

#[test]
fn votes_of_replicas_that_left_do_not_count() {
    let mut votes = Vote::default();
    assert!(
        !votes.vote(&mut writer(1), false),
        "a first no holds anyway"
    );
    assert!(votes.vote(&mut writer(1), true));
    assert!(votes.vote(&mut writer(2), true));
    assert!(!votes.vote(&mut writer(2), true));
    let ids = [1, 2, 3].map(ReplicaId::new);
    assert!(votes.tally(&ids).is_majority());
    assert!(
        !votes.tally(&ids[1..]).is_majority(),
        "one of two is no majority"
    );
    assert!(votes.tally(&ids[1..]).is_at_least_one());
    assert!(votes.tally(&ids[..2]).is_unanimous());
    assert!(!votes.tally(&ids[2..]).is_at_least_one());
}
