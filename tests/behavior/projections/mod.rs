//! Rows of views are the fold of the journal, each entry exactly once.

mod crashes;
mod failures;
mod fold;
#[cfg(statefn_planted)]
mod planted;
mod reads;
mod rebuilds;
mod sales;

use sales::{Customer, Resident, Shop, Sold, Trade, shops};

use statefn_store::testing::Call;

use crate::kit::World;

#[statefn::test]
async fn rows_follow_the_events_of_all_entities() {
    let world = shops().await;
    for (shop, sku, quantity) in [("a", "pears", 2), ("b", "apples", 1), ("b", "pears", 3)] {
        world.sell(shop, sku, quantity).await;
    }
    assert_eq!(world.runtime.settle().await, 0);
    assert_eq!(world.sold("pears").await, Some(5));
    assert_eq!(world.sold("apples").await, Some(1));
    assert_eq!(world.sold("plums").await, None);
    let trades = world.runtime.view::<Trade>().rows().page().await.unwrap();
    let trades: Vec<(&str, u64)> = trades.rows.iter().map(|t| (&*t.shop, t.sales)).collect();
    assert_eq!(trades, [("a", 1), ("b", 2)]);
}

#[statefn::test]
async fn a_handler_sees_what_those_before_it_wrote_in_the_same_commit() {
    let world = shops().await;
    world.store.hold(Call::Project).release();
    for _ in 0..500 {
        world.sell("a", "pears", 1).await;
    }
    world.runtime.settle().await;
    assert_eq!(world.sold("pears").await, Some(500));
}

#[statefn::test]
async fn states_and_removals_are_heard() {
    let world = shops().await;
    let anna = world.runtime.entity::<Customer>("anna");
    anna.moves_to("Bern").await.unwrap();
    world
        .runtime
        .entity::<Customer>("bert")
        .moves_to("Bern")
        .await
        .unwrap();
    anna.moves_to("Chur").await.unwrap();
    anna.leave().await.unwrap();
    world.runtime.settle().await;
    assert_eq!(
        residents(&world).await,
        ["Bern anna", "Bern bert", "Chur anna", "Deleted anna"]
    );
    let bern = world.runtime.view::<Resident>();
    let key = ("Bern".to_owned(), "bert".to_owned());
    assert!(bern.get(&key).await.unwrap().is_some());
}

async fn residents(world: &World) -> Vec<String> {
    let page = world
        .runtime
        .view::<Resident>()
        .rows()
        .page()
        .await
        .unwrap();
    let rows = page
        .rows
        .iter()
        .map(|row| format!("{} {}", row.city, row.customer));
    rows.collect()
}

#[statefn::test]
async fn a_deleted_entity_takes_its_row_along_if_the_handler_says_so() {
    let world = shops().await;
    world.sell("a", "pears", 1).await;
    world.sell("b", "pears", 1).await;
    world.runtime.entity::<Shop>("a").close().await.unwrap();
    world.runtime.settle().await;
    let trades = world.runtime.view::<Trade>().rows().page().await.unwrap();
    assert_eq!(trades.rows.len(), 1);
    // What the other projection made of it stays: it has no handler for removals of shops.
    assert_eq!(world.sold("pears").await, Some(2));
}

#[statefn::test]
async fn what_a_purge_erased_is_told_to_a_projection_that_comes_later() {
    let world = World::build(statefn::Builder::only::<(Customer,)>).await;
    let anna = world.runtime.entity::<Customer>("anna");
    anna.moves_to("Bern").await.unwrap();
    anna.moves_to("Chur").await.unwrap();
    world.runtime.purge::<Customer>("anna").await.unwrap();
    let world = World::over(world.store.clone(), sales::sales).await;
    world.runtime.settle().await;
    assert_eq!(residents(&world).await, ["Deleted anna", "Purged anna"]);
}

#[statefn::test]
async fn an_entry_is_told_once_more_only_for_rows_that_are_not_in_memory() {
    let world = shops().await;
    world.sell("a", "pears", 1).await;
    world.runtime.settle().await;
    let status = world.runtime.admin().projections();
    assert_eq!(status.len(), 2);
    assert_eq!(
        (&*status[0].name, status[0].version, status[0].told),
        ("sales", 1, 1)
    );
    assert_eq!((status[0].entries_behind(), status[0].errors), (0, 0));
    assert!(status[0].serves);
    let rows = world.store.count(Call::Rows);
    for _ in 0..10 {
        world.sell("a", "pears", 1).await;
        world.runtime.settle().await;
    }
    assert_eq!(world.sold("pears").await, Some(11));
    let asked = world.store.count(Call::Rows) - rows;
    assert_eq!(
        asked, 0,
        "rows that were read or written before are in memory"
    );
}

#[statefn::test]
async fn a_runtime_without_projections_asks_the_store_nothing_about_them() {
    let world = World::build(statefn::Builder::only::<(Shop,)>).await;
    world.sell("a", "pears", 1).await;
    world.runtime.settle().await;
    for call in [Call::Projections, Call::Project, Call::Rows, Call::View] {
        assert_eq!(world.store.count(call), 0, "{call:?}");
    }
    let read = world.runtime.view::<Sold>().get("pears").await;
    assert!(matches!(
        read,
        Err(statefn::ReadError::NotHosted {
            projection: "sales"
        })
    ));
}
