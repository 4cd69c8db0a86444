//! A new version is built beside the old one, which answers until it has caught up.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::projection::{HandlerError, KeptView, Projection, Sources, Start, ViewList, ViewOf};
use statefn::store::{Memory, Offset, Store};
use statefn::{BuildError, ReadError};
use statefn_store::testing::{Call, Faulty};

use super::sales::{Sales, Shop, ShopEvent, Sold};
use crate::kit::{World, settle};

/// Made by hand: two versions of one name are not linked into one program, as a rule.
macro_rules! version {
    ($projection:ident, $row:ident, $version:literal, $start:ident, $times:literal) => {
        #[derive(Default)]
        struct $projection;

        impl $projection {
            fn sold(
                _: &Self,
                event: &ShopEvent,
                from: &Envelope<Shop>,
                views: &mut Views<Self>,
            ) -> Result<(), HandlerError> {
                let ShopEvent::Sold { sku, quantity } = event else {
                    return Ok(());
                };
                let before = views.get::<$row>(sku)?.map_or(0, |row| row.quantity);
                let quantity = before + $times * quantity;
                views.put(&$row::new(sku, quantity, from.offset()))?;
                Ok(())
            }
        }

        impl Projection for $projection {
            const NAME: &'static str = "sales";
            const VERSION: u32 = $version;
            const START: Start = Start::$start;

            fn sources(sources: &mut Sources<Self>) {
                sources.event::<Shop, ShopEvent>(Self::sold);
            }

            fn views(views: &mut ViewList) {
                views.view::<$row>();
            }
        }

        impl KeptView for $row {
            type Projection = $projection;
        }

        impl ViewOf<$projection> for $row {
            const PLACE: u16 = 0;
        }
    };
}

/// Rows of the same form as those of version 1.
#[view(name = "sold")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Doubled {
    #[key]
    sku: String,
    #[index]
    quantity: i64,
    newest: u64,
}

impl Doubled {
    fn new(sku: &str, quantity: i64, at: Offset) -> Self {
        Self {
            sku: sku.to_owned(),
            quantity,
            newest: at.get(),
        }
    }
}

version!(SalesV2, Doubled, 2, Beginning, 2);

/// Rows of another form.
#[view(name = "sold")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Trebled {
    #[key]
    sku: String,
    quantity: i64,
}

impl Trebled {
    fn new(sku: &str, quantity: i64, _: Offset) -> Self {
        let sku = sku.to_owned();
        Self { sku, quantity }
    }
}

version!(SalesV3, Trebled, 3, Beginning, 3);

/// The same version with rows of another form.
#[view(name = "sold")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Changed {
    #[key]
    sku: String,
    quantity: i64,
    note: String,
}

impl Changed {
    fn new(sku: &str, quantity: i64, _: Offset) -> Self {
        let (sku, note) = (sku.to_owned(), String::new());
        Self {
            sku,
            quantity,
            note,
        }
    }
}

version!(SalesV1Changed, Changed, 1, Beginning, 1);

#[view(name = "sold")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Recent {
    #[key]
    sku: String,
    quantity: i64,
}

impl Recent {
    fn new(sku: &str, quantity: i64, _: Offset) -> Self {
        let sku = sku.to_owned();
        Self { sku, quantity }
    }
}

version!(SalesFromNow, Recent, 4, Now, 1);

/// A store with 3,000 sales of pears, folded by version 1.
async fn sold_by_version_1() -> Faulty {
    let store = Faulty::new(Memory::new());
    let world = with::<Sales>(&store).await;
    for _ in 0..3_000 {
        world.sell("a", "pears", 1).await;
    }
    world.runtime.settle().await;
    assert_eq!(world.sold("pears").await, Some(3_000));
    world
        .runtime
        .shutdown(std::time::Duration::from_secs(5))
        .await
        .unwrap();
    store
}

async fn with<P: Projection>(store: &Faulty) -> World {
    World::over(store.clone(), |builder| {
        builder.only::<(Shop,)>().projection::<P>()
    })
    .await
}

async fn quantity<V: KeptView<Key = String>>(
    world: &World,
    quantity: impl Fn(V) -> i64,
) -> Result<Option<i64>, ReadError> {
    let row = world.runtime.view::<V>().get("pears").await;
    row.map(|row| row.map(quantity))
}

#[statefn::test]
async fn the_old_version_answers_until_the_new_one_has_caught_up() {
    let store = sold_by_version_1().await;
    let hold = store.hold(Call::Project);
    let world = with::<SalesV2>(&store).await;
    // Begins; folds three pages; then serves, and removes the old rows.
    let mut answers = Vec::new();
    let mut last = (0, false);
    for _ in 0..12 {
        settle().await;
        hold.release_one();
        settle().await;
        let status = world.runtime.admin().projections().remove(0);
        let now = (status.offset.get(), status.serves);
        assert!(now >= last, "progress goes one way: {last:?}, then {now:?}");
        last = now;
        answers.extend(quantity(&world, |row: Doubled| row.quantity).await.unwrap());
    }
    hold.release();
    world.runtime.settle().await;
    assert_eq!(last, (3_000, true));
    let turn = answers.iter().position(|answer| *answer == 6_000).unwrap();
    assert!(
        turn > 0 && answers[..turn].iter().all(|answer| *answer == 3_000),
        "{answers:?}"
    );
    assert!(
        answers[turn..].iter().all(|answer| *answer == 6_000),
        "{answers:?}"
    );
    let stored = store.projections().await.unwrap();
    let versions: Vec<u32> = stored
        .versions
        .iter()
        .map(|stored| stored.id.version)
        .collect();
    assert_eq!(versions, [2], "the old rows are gone");
}

#[statefn::test]
async fn rows_of_another_form_are_not_misread_while_the_new_version_is_built() {
    let store = sold_by_version_1().await;
    let hold = store.hold(Call::Project);
    let world = with::<SalesV3>(&store).await;
    settle().await;
    hold.release_one();
    settle().await;
    let early = quantity(&world, |row: Trebled| row.quantity).await;
    assert!(
        matches!(early, Err(ReadError::Rebuilding { .. })),
        "{early:?}"
    );
    hold.release();
    // A read behind a position waits for the new version.
    let row = world
        .runtime
        .view::<Trebled>()
        .after(Offset::new(3_000))
        .get("pears")
        .await;
    assert_eq!(row.unwrap().unwrap().quantity, 9_000);
    world.runtime.settle().await;
}

#[statefn::test]
async fn a_rebuild_survives_crashes_and_goes_on_where_it_was() {
    let store = sold_by_version_1().await;
    for _ in 0..4 {
        let world = with::<SalesV2>(&store).await;
        settle().await;
        world.runtime.crash().await.unwrap();
    }
    let world = with::<SalesV2>(&store).await;
    world.sell("a", "pears", 1).await;
    world.pass(std::time::Duration::from_secs(3)).await;
    world.runtime.settle().await;
    let view = world.runtime.view::<Doubled>().after(Offset::new(3_001));
    assert_eq!(view.get("pears").await.unwrap().unwrap().quantity, 6_002);
}

#[statefn::test]
async fn going_back_to_the_version_before_builds_it_again() {
    let store = sold_by_version_1().await;
    let world = with::<SalesV2>(&store).await;
    let view = world.runtime.view::<Doubled>().after(Offset::new(3_000));
    view.get("pears").await.unwrap();
    world.runtime.settle().await;
    let world = with::<Sales>(&store).await;
    let view = world.runtime.view::<Sold>().after(Offset::new(3_000));
    assert_eq!(view.get("pears").await.unwrap().unwrap().quantity, 3_000);
}

#[statefn::test]
async fn a_version_may_be_built_anew_beside_its_own_rows() {
    let store = sold_by_version_1().await;
    for round in 1..=3 {
        let world = with::<Sales>(&store).await;
        world.runtime.settle().await;
        let hold = store.hold(Call::Project);
        assert!(world.runtime.admin().rebuild_projection("sales"));
        assert!(!world.runtime.admin().rebuild_projection("unknown"));
        for _ in 0..3 {
            settle().await;
            hold.release_one();
            settle().await;
            assert_eq!(
                world.sold("pears").await,
                Some(3_000),
                "the old rows answer"
            );
        }
        let status = world.runtime.admin().projections().remove(0);
        assert_eq!((status.version, status.serves), (1, false));
        assert!(status.entries_behind() > 0, "{status:?}");
        hold.release();
        let view = world.runtime.view::<Sold>().after(Offset::new(3_000));
        assert_eq!(
            view.get("pears").await.unwrap().unwrap().quantity,
            3_000,
            "round {round}"
        );
        world.runtime.settle().await;
        // A crash in the middle of another one loses neither rows nor the rebuilding.
        world.runtime.admin().rebuild_projection("sales");
        settle().await;
        world.runtime.crash().await.unwrap();
        world.pass(std::time::Duration::from_secs(3)).await;
        world.runtime.settle().await;
        assert_eq!(world.sold("pears").await, Some(3_000), "round {round}");
        assert_eq!(store.projections().await.unwrap().versions.len(), 1);
    }
}

#[statefn::test]
async fn a_version_that_starts_now_leaves_the_past_out() {
    let store = sold_by_version_1().await;
    let world = with::<SalesFromNow>(&store).await;
    world.runtime.settle().await;
    world.sell("a", "pears", 5).await;
    let view = world.runtime.view::<Recent>().after(Offset::new(3_001));
    assert_eq!(view.get("pears").await.unwrap().unwrap().quantity, 5);
}

#[statefn::test]
async fn changed_rows_under_the_same_version_are_refused_at_the_start() {
    let store = sold_by_version_1().await;
    let builder = statefn::Runtime::builder().store(store);
    let built = builder
        .only::<(Shop,)>()
        .projection::<SalesV1Changed>()
        .build()
        .await;
    let Err(BuildError::ViewChanged { name, version }) = built else {
        panic!("{built:?}");
    };
    assert_eq!((&*name, version), ("sales", 1));
}
