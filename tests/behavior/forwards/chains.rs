//! Forwards of forwards: as long as they may be, and never round in a circle.

use statefn::{CallError, Limits, Persisted};
use statefn_store::testing::CommitFault;

use super::office::{Clerk, Desk, books, desk, office};
use crate::kit::World;

fn path<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

#[statefn::test]
async fn a_forward_of_a_forward_is_answered_by_the_last_one() {
    let world = office().await;
    let front = desk(&world, "front");
    let way = path(["left", "right", "ann"]);
    assert_eq!(front.along(way.clone()).with_key("k").await, Ok(1));
    assert_eq!(front.along(way.clone()).with_key("k").await, Ok(1));
    assert_eq!(front.along(way).await, Ok(2));
    assert_eq!(books(&world, "left", "ann").await, (2, 2));
    assert_eq!(books(&world, "right", "ann").await, (2, 2));
}

#[statefn::test]
async fn p6_a_retry_follows_all_the_way_wherever_it_broke() {
    for broken in 0..4 {
        let world = office().await;
        let front = desk(&world, "front");
        let way = path(["left", "right", "ann"]);
        let faults = (0..4).map(|commit| {
            if commit == broken {
                CommitFault::Unavailable
            } else {
                CommitFault::Pass
            }
        });
        world.store.next_commits(faults);
        let first = front.along(way.clone()).with_key("k").await;
        let error = first.unwrap_err();
        let stored = if broken == 0 {
            Persisted::No
        } else {
            Persisted::Yes
        };
        assert_eq!(error.persisted(), stored, "{broken}: {error:?}");
        world.runtime.crash().await.unwrap();
        assert_eq!(front.along(way).with_key("k").await, Ok(1), "{broken}");
        assert_eq!(books(&world, "front", "ann").await, (1, 1), "{broken}");
        assert_eq!(books(&world, "left", "ann").await, (1, 1), "{broken}");
        assert_eq!(books(&world, "right", "ann").await, (1, 1), "{broken}");
    }
}

#[statefn::test]
async fn p9_a_forward_that_comes_back_is_an_error_not_a_hang() {
    let world = office().await;
    let front = desk(&world, "front");
    // To itself: nothing has happened.
    let itself = front.along(path(["front", "ann"])).await;
    assert_eq!(itself, Err(CallError::Reentrancy));
    assert_eq!(books(&world, "front", "ann").await, (0, 0));
    // Over another one: that one does nothing either.
    let round = front.along(path(["left", "front", "ann"])).await;
    let Err(CallError::Forwarded(forwarded)) = round else {
        panic!("{round:?}");
    };
    assert_eq!(forwarded.target.id(), "left");
    assert_eq!(forwarded.error, CallError::Reentrancy);
    assert_eq!(books(&world, "front", "ann").await, (1, 0));
    assert_eq!(books(&world, "left", "ann").await, (0, 0));
    // To the async command that waits for it.
    let ann = world.runtime.entity::<Clerk>("ann");
    let asked = ann.ask("front").await;
    let Err(CallError::Rejected(text)) = asked else {
        panic!("{asked:?}");
    };
    assert_eq!(text, "Reentrancy");
    assert_eq!(books(&world, "front", "ann").await, (1, 0));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p8_a_chain_of_forwards_has_a_limit() {
    let world = office().await;
    let limit = Limits::default().call_depth_max;
    let mut way: Vec<String> = (1..limit).map(|n| n.to_string()).collect();
    way.push("ann".to_owned());
    // One desk more than the limit stands between the caller and the clerk.
    let mut longer = way.clone();
    longer.insert(0, "0".to_owned());
    let long = desk(&world, "front").along(longer).await;
    let Err(CallError::Forwarded(forwarded)) = long else {
        panic!("{long:?}");
    };
    let error = &forwarded.error;
    assert!(
        matches!(error, CallError::TooLarge { limit: 64, .. }),
        "{error:?}"
    );
    // As many commands as are allowed, the clerk's included.
    way.remove(0);
    assert_eq!(desk(&world, "front").along(way).await, Ok(1));
}

#[statefn::test]
async fn p9_a_retry_from_a_caller_that_the_target_waits_for_is_no_hang() {
    let world = World::build(statefn::Builder::only::<(Desk, Clerk)>).await;
    let ann = world.runtime.entity::<Clerk>("ann");
    let front = desk(&world, "front");
    assert_eq!(front.hand_on("ann", 1).with_key("shared").await, Ok(1));
    let asked = ann.ask_again("front", "shared").await;
    let Err(CallError::Rejected(text)) = asked else {
        panic!("{asked:?}");
    };
    assert!(text.contains("Reentrancy"), "{text}");
}
