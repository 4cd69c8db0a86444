//! Exactly once: whatever fails, whenever it fails, rows are the fold of the journal.

use std::time::Duration;

use statefn::store::{Memory, Sqlite};
use statefn_store::testing::{Call, Faulty};

use super::sales::{Sold, Trade, sales, shops};
use crate::kit::{World, settle};

#[statefn::test]
async fn a_crash_at_any_call_of_the_store_counts_nothing_twice() {
    for call in [Call::Read, Call::Rows, Call::Project, Call::Projections] {
        let world = shops().await;
        let mut expected = 0;
        for round in 0..6 {
            let hold = world.store.hold(call);
            let answer = (round % 2 == 0).then(|| world.store.hold_answer(call));
            for _ in 0..3 {
                world.sell("a", "pears", 1).await;
                expected += 1;
            }
            settle().await;
            if answer.is_some() {
                hold.release_one();
                settle().await;
            }
            world.runtime.crash().await.unwrap();
            drop((hold, answer));
            world.pass(Duration::from_secs(3)).await;
            world.runtime.settle().await;
            assert_eq!(
                world.sold("pears").await,
                Some(expected),
                "{call:?}, round {round}"
            );
        }
    }
}

#[statefn::test]
async fn a_store_that_fails_now_and_then_loses_nothing_and_counts_nothing_twice() {
    let world = shops().await;
    let mut expected = 0;
    for round in 0..40_u64 {
        world.store.fail(Call::Project, round % 3);
        world.store.fail(Call::Read, round % 2);
        world.store.fail(Call::Rows, (round + 1) % 2);
        world.sell("a", "pears", 1).await;
        expected += 1;
        world.pass(Duration::from_secs(2)).await;
    }
    world.store.heal();
    world.pass(Duration::from_secs(60)).await;
    world.runtime.settle().await;
    assert_eq!(world.sold("pears").await, Some(expected));
}

#[statefn::test]
async fn two_runtimes_do_not_run_a_projection_twice() {
    let store = Faulty::new(Memory::new());
    let first = World::over(store.clone(), sales).await;
    first.sell("a", "pears", 1).await;
    first.runtime.settle().await;
    // The first one has read a page and is about to commit; the second one takes the store over.
    let hold = store.hold(Call::Project);
    first.sell("a", "pears", 1).await;
    settle().await;
    let second = World::over(store.clone(), sales).await;
    hold.release();
    settle().await;
    second.sell("a", "pears", 1).await;
    for world in [&first, &second] {
        world.pass(Duration::from_secs(3)).await;
    }
    second.runtime.settle().await;
    assert_eq!(second.sold("pears").await, Some(3));
}

#[statefn::test]
async fn p1_rows_and_position_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shops.db");
    for run in 1..=3 {
        let store = Faulty::new(Sqlite::open(&path).unwrap());
        let world = World::over(store, sales).await;
        for _ in 0..50 {
            world.sell("a", "pears", 1).await;
            world.sell("b", "plums", 2).await;
        }
        world.runtime.settle().await;
        assert_eq!(world.sold("pears").await, Some(50 * run));
        let view = world.runtime.view::<Sold>();
        let best = view
            .index(Sold::QUANTITY)
            .descending()
            .page()
            .await
            .unwrap();
        let rows = best.rows.iter().map(|row| (&*row.sku, row.quantity));
        assert!(rows.eq([("plums", 100 * run), ("pears", 50 * run)]));
        let trades = world.runtime.view::<Trade>().rows().page().await.unwrap();
        assert_eq!(trades.rows.len(), 2);
        assert!(world.runtime.admin().verify().await.unwrap().is_clean());
        assert!(
            world
                .runtime
                .shutdown(Duration::from_secs(5))
                .await
                .unwrap()
        );
    }
}
