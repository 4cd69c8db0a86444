//! P10, P9: a projection that cannot go on stops where everybody sees it; nothing is skipped in silence.

use std::time::Duration;

use statefn::store::{
    Batch, Member, NewEvent, Offset, PersistenceId, SequenceNumber, Store, Timestamp,
};
use statefn::{PassOverError, ProjectionState, ProjectionStatus};

use super::sales::{FAILS, PANICS, Shop, let_fail, shops};
use crate::kit::World;

fn status(world: &World, name: &str) -> ProjectionStatus {
    let all = world.runtime.admin().projections();
    all.into_iter().find(|status| status.name == name).unwrap()
}

fn stopped_at(world: &World, name: &str) -> Option<(u64, String)> {
    match status(world, name).state {
        ProjectionState::Stopped(at) => Some((at.offset.get(), at.reason.clone())),
        _ => None,
    }
}

#[statefn::test]
async fn what_fails_is_tried_again_and_goes_through() {
    let world = shops().await;
    let_fail("difficult", 3);
    world.sell("a", "difficult", 7).await;
    world.sell("a", "pears", 1).await;
    world.runtime.settle().await;
    assert!(matches!(
        status(&world, "sales").state,
        ProjectionState::Retrying { .. }
    ));
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(world.sold("difficult").await, Some(7));
    assert_eq!(world.sold("pears").await, Some(1));
    let status = status(&world, "sales");
    assert_eq!((status.state, status.errors), (ProjectionState::Running, 3));
}

#[statefn::test]
async fn p10_what_keeps_failing_stops_its_projection_and_no_other() {
    for (bad, reason) in [
        (FAILS, "cannot be counted"),
        (PANICS, "the handler panicked"),
    ] {
        let world = shops().await;
        world.sell("a", "pears", 1).await;
        world.sell("a", bad, 1).await;
        world.sell("a", "pears", 1).await;
        world.pass(Duration::from_secs(10)).await;
        let (offset, why) = stopped_at(&world, "sales").expect("it has stopped");
        assert_eq!(offset, 2);
        assert!(why.contains(reason), "{why}");
        assert_eq!(status(&world, "sales").entries_behind(), 2);
        assert!(status(&world, "sales").lag.is_some());
        assert_eq!(
            world.sold("pears").await,
            Some(1),
            "what came before is there"
        );
        assert_eq!(
            status(&world, "trades").offset,
            Offset::new(3),
            "others go on"
        );
        // More of the same changes nothing.
        world.sell("a", "pears", 1).await;
        world.pass(Duration::from_secs(10)).await;
        assert_eq!(status(&world, "sales").offset, Offset::new(1));
    }
}

#[statefn::test]
async fn p10_an_operator_leaves_one_entry_out_and_that_is_kept() {
    let world = shops().await;
    world.sell("a", FAILS, 1).await;
    world.sell("a", "pears", 1).await;
    world.pass(Duration::from_secs(10)).await;
    let admin = world.runtime.admin();
    let early = admin.pass_over("sales", Offset::new(2), "not there").await;
    assert!(
        matches!(early, Err(PassOverError::NotStopped { .. })),
        "{early:?}"
    );
    let other = admin.pass_over("unknown", Offset::new(1), "nobody").await;
    assert!(
        matches!(other, Err(PassOverError::NotHosted { .. })),
        "{other:?}"
    );
    admin
        .pass_over("sales", Offset::new(1), "no such product")
        .await
        .unwrap();
    world.runtime.settle().await;
    assert_eq!(world.sold("pears").await, Some(1));
    assert_eq!(world.sold(FAILS).await, None);
    assert_eq!(status(&world, "sales").state, ProjectionState::Running);
    let passed = admin
        .passed_over("sales", 1, Offset::ZERO, 10)
        .await
        .unwrap();
    assert_eq!(passed.len(), 1);
    assert_eq!(
        (passed[0].offset.get(), &*passed[0].reason),
        (1, "no such product")
    );
    assert_eq!(passed[0].time, world.clock.now());
}

#[statefn::test]
async fn a_projection_that_stopped_goes_on_when_its_cause_is_gone() {
    let world = shops().await;
    let_fail("broken", 1_000);
    world.sell("b", "broken", 7).await;
    world.pass(Duration::from_secs(10)).await;
    assert!(stopped_at(&world, "sales").is_some());
    let_fail("broken", 0);
    assert!(world.runtime.admin().resume_projection("sales"));
    world.runtime.settle().await;
    assert_eq!(world.sold("broken").await, Some(7));
    assert!(
        !world.runtime.admin().resume_projection("sales"),
        "it had not stopped"
    );
}

#[statefn::test]
async fn p10_an_unknown_event_stops_a_projection_at_once() {
    let world = shops().await;
    world.sell("a", "pears", 1).await;
    let mut member = Member::new(
        PersistenceId::new("shop", "a"),
        SequenceNumber::new(1),
        Timestamp::from_millis(0),
    );
    for (name, payload) in [("Burnt", vec![]), ("Sold", vec![0xFF; 3])] {
        member.events.push(NewEvent {
            name: name.into(),
            version: 1,
            codec: 1,
            payload,
        });
    }
    let batch = Batch {
        epoch: World::epoch(),
        members: vec![member],
    };
    let _ = world.store.commit(batch).await.unwrap();
    world.pass(Duration::from_secs(2)).await;
    let (offset, why) = stopped_at(&world, "sales").expect("it has stopped");
    assert_eq!((offset, &*why), (2, "event `Burnt` is unknown"));
    let admin = world.runtime.admin();
    admin
        .pass_over("sales", Offset::new(2), "nobody knows it")
        .await
        .unwrap();
    world.pass(Duration::from_secs(2)).await;
    let (offset, why) = stopped_at(&world, "sales").expect("it has stopped again");
    assert_eq!(offset, 3);
    assert!(why.contains("cannot decode"), "{why}");
    assert_eq!(status(&world, "sales").errors, 2, "neither is tried twice");
    // Entities of the type that are sound go on.
    let b = world.runtime.entity::<Shop>("b");
    b.sell("pears", 1).await.unwrap();
}

#[statefn::test]
async fn a_damaged_entry_stops_a_projection() {
    let world = shops().await;
    world.sell("a", "pears", 1).await;
    world.runtime.settle().await;
    world
        .store
        .damage(&PersistenceId::new("shop", "a"), SequenceNumber::new(2));
    world.sell("a", "pears", 1).await;
    world.pass(Duration::from_secs(2)).await;
    let (offset, why) = stopped_at(&world, "sales").expect("it has stopped");
    assert_eq!(offset, 2);
    assert!(why.contains("damaged"), "{why}");
}
