//! P8 for effects: the outbox is bounded, and so is what one command sends.

use statefn::{CallError, Limits, Overload};
use statefn_store::testing::Call;

use super::relay::{Relay, balances};
use crate::kit::{World, pending, settle};

#[statefn::test]
async fn p8_an_outbox_that_is_full_refuses_the_command() {
    let limits = Limits {
        outbox_max: 2,
        ..Limits::default()
    };
    let world = World::build(|builder| builder.only::<(Relay,)>().limits(limits)).await;
    let alice = world.runtime.entity::<Relay>("alice");
    let hold = world.store.hold(Call::Commit);
    let first = pending(alice.pass("bob", 1));
    let second = pending(alice.pass("bob", 2));
    let third = pending(alice.pass("bob", 4));
    hold.release();
    assert_eq!(first.now().await, Ok(()));
    assert_eq!(second.now().await, Ok(()));
    assert_eq!(
        third.now().await,
        Err(CallError::Overloaded(Overload::Outbox))
    );
    world.runtime.settle().await;
    assert_eq!(balances(&world, ["alice", "bob"]).await, [-3, 3]);
    assert_eq!(alice.pass("bob", 8).await, Ok(()));
    world.runtime.settle().await;
    assert_eq!(balances(&world, ["bob"]).await, [11]);
}

#[statefn::test]
async fn p8_one_command_sends_as_much_as_the_limit_and_no_more() {
    let world = World::build(statefn::Builder::only::<(Relay,)>).await;
    let alice = world.runtime.entity::<Relay>("alice");
    assert_eq!(alice.note_at("bob", 0, 1_000).await, Ok(()));
    let failed = alice.note_at("bob", 0, 1_001).await;
    assert!(
        matches!(
            failed,
            Err(CallError::TooLarge {
                bytes: 1_001,
                limit: 1_000,
                ..
            })
        ),
        "{failed:?}"
    );
    world.runtime.settle().await;
    let notes = world.runtime.entity::<Relay>("bob").notes().await;
    assert_eq!(notes.map(|notes| notes.len()), Ok(1_000));
    settle().await;
}

#[statefn::test]
async fn an_effect_to_an_entity_without_an_id_fails_its_command() {
    let world = World::build(statefn::Builder::only::<(Relay,)>).await;
    let alice = world.runtime.entity::<Relay>("alice");
    for (id, what) in [("", "Invalid"), (&*"x".repeat(1_025), "TooLarge")] {
        let failed = alice.pass(id, 1).await.unwrap_err();
        assert!(format!("{failed:?}").starts_with(what), "{failed:?}");
    }
    assert_eq!(balances(&world, ["alice"]).await, [0]);
}
