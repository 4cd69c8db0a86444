//! Async commands call entities and wait for them, in chains that never come back.

use std::time::Duration;

use statefn::{CallError, Limits};

use super::courier::{Door, courier, world, world_with};
use crate::kit::{millis, pending};

#[statefn::test]
async fn p2_an_async_command_calls_another_entity_and_waits_for_its_commit() {
    let world = world().await;
    let ann = courier(&world, "carries");
    assert_eq!(ann.carry("alice", 5).await, Ok(5));
    assert_eq!(ann.carry("alice", 2).await, Ok(7));
    let refused = ann.carry("alice", -9).await;
    let text = "rejected: only 7 is there".to_owned();
    assert_eq!(refused, Err(CallError::Rejected(text)));
    world.runtime.crash().await.unwrap();
    assert_eq!(world.account("alice").total().await, Ok(7));
    assert_eq!(ann.notes().await, Ok(vec![5, 2]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p4_an_async_command_sends_effects_and_receives_them() {
    let world = world().await;
    let (ann, bob) = (courier(&world, "sends on"), courier(&world, "receives"));
    let (from, to) = (Door::of("sends on"), Door::of("receives"));
    let sent = pending(ann.wait_and_pass_on("receives"));
    let lost = pending(ann.wait_and_pass_on("receives").with_deadline(millis(500)));
    assert_eq!((from.arrived().await, to.arrived().await), (1, 0));
    from.open();
    assert_eq!(sent.now().await, Ok(()));
    // The one that is cut off sends nothing.
    world.pass(millis(500)).await;
    assert_eq!(lost.now().await, Err(CallError::Timeout));
    assert_eq!(to.arrived().await, 1);
    // An effect whose async command is lost in a crash comes again.
    world.runtime.crash().await.unwrap();
    to.open();
    world.pass(Duration::from_secs(2)).await;
    world.runtime.settle().await;
    assert_eq!(bob.notes().await, Ok(vec![5, -5]));
    assert_eq!(ann.notes().await, Ok(vec![4]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p9_a_call_back_into_its_own_chain_is_an_error_not_a_hang() {
    let world = world().await;
    let ann = courier(&world, "ann");
    let itself = ann.ask("ann").await;
    assert_eq!(itself, Err(CallError::Rejected("Reentrancy".to_owned())));
    let ids = |ids: &[&str]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    for circle in [&["ann"][..], &["bob", "ann"], &["bob", "cid", "bob"]] {
        let answer = ann.send(ids(circle)).await;
        let Err(CallError::Rejected(text)) = &answer else {
            panic!("{circle:?}: {answer:?}");
        };
        assert!(text.ends_with("wait for it"), "{text}");
    }
    // A straight chain, and one that comes by twice but not at the same time.
    assert_eq!(ann.send(ids(&["bob", "cid", "dee"])).await, Ok(3));
    assert_eq!(ann.ask("bob").await, Ok(0));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p9_two_commands_that_wait_for_each_other_end_with_their_deadlines() {
    let world = world().await;
    let ids = |id: &str| vec![id.to_owned()];
    let (ann, bob) = (courier(&world, "ann"), courier(&world, "bob"));
    ann.notes().await.unwrap();
    bob.notes().await.unwrap();
    // Both are under way before either makes its call.
    let one = pending(ann.send(ids("bob")).with_deadline(millis(500)));
    let two = pending(bob.send(ids("ann")).with_deadline(millis(500)));
    world.pass(millis(500)).await;
    assert_eq!(one.now().await, Err(CallError::Timeout));
    assert_eq!(two.now().await, Err(CallError::Timeout));
    assert_eq!(ann.send(ids("bob")).await, Ok(1));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p8_a_chain_of_calls_is_as_long_as_the_limit_says() {
    let limits = Limits {
        call_depth_max: 3,
        ..Limits::default()
    };
    let world = world_with(limits).await;
    let ann = courier(&world, "ann");
    let ids = |count: usize| {
        (0..count)
            .map(|n| format!("courier {n}"))
            .collect::<Vec<_>>()
    };
    // Three wait for each other: this one and two more. The last of them makes no further call.
    assert_eq!(ann.send(ids(2)).await, Ok(2));
    let answer = ann.send(ids(3)).await;
    let Err(CallError::Rejected(text)) = &answer else {
        panic!("{answer:?}");
    };
    assert!(text.contains("the chain of calls"), "{text}");
    world.assert_quiet().await;
}

#[statefn::test]
async fn a_command_knows_who_called_it_and_what_began_the_chain() {
    let world = world().await;
    let (ann, bob) = (courier(&world, "ann"), courier(&world, "bob"));
    let (caller, [own, cause, first]) = ann.seen().await.unwrap();
    assert_eq!((caller, cause), (None, None));
    assert_eq!(own, first, "it began the chain");
    let (by, (caller, [own, cause, first])) = bob.seen_by("ann").await.unwrap();
    assert_eq!(caller.as_deref(), Some("courier/bob"));
    assert_eq!(
        (cause.as_deref(), first.as_deref()),
        (Some(&*by), Some(&*by))
    );
    assert_ne!(own, cause);
    assert_ne!(
        own,
        ann.seen().await.unwrap().1[0],
        "another run, another id"
    );
}
