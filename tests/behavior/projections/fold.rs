//! Rows are the fold of the journal up to their position: at any time, whatever has happened.

use std::collections::BTreeMap;
use std::time::Duration;

use statefn::codec::Codec;
use statefn::event;
use statefn::store::{Entry, EntryBody, Memory, Offset};
use statefn::testing::{Dice, FaultRates, ProjectionScenario};
use statefn_store::testing::{Call, Faulty};

use super::sales::{Customer, Resident, Sales, ShopEvent, Sold, Trade, let_fail, sales};
use crate::kit::{World, settle};

/// Rows by their keys: quantity and newest offset of each product, sales of each shop.
type Fold = (BTreeMap<String, (i64, u64)>, BTreeMap<String, u64>);

/// The plainest fold there is, of entries up to `until`.
fn fold(entries: &[Entry], until: Offset) -> Fold {
    let (mut sold, mut trades) = Fold::default();
    for entry in entries.iter().filter(|entry| entry.offset <= until) {
        let EntryBody::Event { event, .. } = &entry.body else {
            continue;
        };
        let codec = Codec::from_id(event.codec).unwrap();
        let event = event::decode(&event.name, event.version, codec, &event.payload).unwrap();
        if let ShopEvent::Sold { sku, quantity } = event {
            let row: &mut (i64, u64) = sold.entry(sku).or_default();
            *row = (row.0 + quantity, entry.offset.get());
        }
        *trades.entry(entry.id.id().to_owned()).or_default() += 1;
    }
    (sold, trades)
}

/// Compares both views with the fold up to where each stands.
async fn check(world: &World, seed: u64) {
    let mut entries = Vec::new();
    let inner = world.store.inner();
    loop {
        let next = entries
            .last()
            .map_or(Offset::new(1), |entry: &Entry| entry.offset.next());
        let page = inner.read(next, 10_000).await.unwrap();
        if page.is_empty() {
            break;
        }
        entries.extend(page);
    }
    let Ok(page) = world
        .runtime
        .view::<Sold>()
        .within(Duration::ZERO)
        .rows()
        .limit(10_000)
        .page()
        .await
    else {
        return;
    };
    let rows = page
        .rows
        .into_iter()
        .map(|row| (row.sku, (row.quantity, row.newest)));
    let expected = fold(&entries, page.offset).0;
    assert_eq!(
        rows.collect::<BTreeMap<_, _>>(),
        expected,
        "seed {seed} at {}",
        page.offset
    );
    let Ok(page) = world
        .runtime
        .view::<Trade>()
        .within(Duration::ZERO)
        .rows()
        .limit(10_000)
        .page()
        .await
    else {
        return;
    };
    let rows = page.rows.into_iter().map(|row| (row.shop, row.sales));
    let expected = fold(&entries, page.offset).1;
    assert_eq!(
        rows.collect::<BTreeMap<_, _>>(),
        expected,
        "seed {seed} at {}",
        page.offset
    );
}

/// Sales, crashes, errors of handlers, and a store that fails, all at once.
pub(super) async fn run(seed: u64) {
    let store = Faulty::new(Memory::new());
    let mut world = World::over(store.clone(), sales).await;
    let mut dice = Dice::new(seed);
    let rates = FaultRates {
        commit_fails: 40,
        commit_unknown_applied: 40,
        commit_unknown_not_applied: 40,
        commit_refused: 40,
        commit_repeated: 40,
        ..FaultRates::NONE
    };
    store.by_seed(seed, rates);
    for _ in 0..60 {
        let shop = format!("shop {}", dice.index(3));
        let sku = format!("product {} of {seed}", dice.index(6));
        match dice.index(20) {
            0 => world.runtime.crash().await.unwrap_or(()),
            1 => store.fail(Call::Read, 2),
            2 => store.fail(Call::Rows, 2),
            3 => let_fail(&sku, 1 + u64::try_from(dice.index(3)).unwrap()),
            4 => world.pass(Duration::from_secs(1)).await,
            5 => {
                // Another process takes the store over, in the middle of whatever this one does.
                world = World::over(store.clone(), sales).await;
            }
            _ => {
                for _ in 0..=dice.index(8) {
                    let shop = world.runtime.entity::<super::Shop>(shop.as_str());
                    // May fail: then it is in the journal, or not.
                    let _ = shop
                        .sell(sku.as_str(), i64::try_from(dice.index(9)).unwrap())
                        .await;
                }
            }
        }
        if dice.chance(500) {
            settle().await;
        }
        check(&world, seed).await;
    }
    store.heal();
    world.pass(Duration::from_secs(130)).await;
    world.runtime.settle().await;
    check(&world, seed).await;
    let page = world.runtime.view::<Sold>().rows().page().await.unwrap();
    let journal = world.store.inner().projections().await.unwrap();
    assert_eq!(page.offset, journal.end, "seed {seed}: rows lag behind");
    for status in world.runtime.admin().projections() {
        assert_eq!(status.entries_behind(), 0, "seed {seed}: {status:?}");
    }
}

#[statefn::test]
async fn rows_are_the_fold_of_the_journal_up_to_their_position() {
    for seed in 0..12 {
        run(seed).await;
    }
}

#[test]
fn a_projection_is_tried_without_a_runtime() {
    let sold = |sku: &str, quantity| ShopEvent::Sold {
        sku: sku.to_owned(),
        quantity,
    };
    let scenario = ProjectionScenario::<Sales>::new()
        .given::<super::Shop>("a", [sold("pears", 2), ShopEvent::Closed])
        .given::<super::Shop>("b", [sold("apples", 1), sold("pears", 3)])
        .given_state("anna", &Customer::living_in("Bern"))
        .given_deleted::<Customer>("anna");
    scenario.then_rows([
        Sold {
            sku: "apples".into(),
            quantity: 1,
            newest: 3,
        },
        Sold {
            sku: "pears".into(),
            quantity: 5,
            newest: 4,
        },
    ]);
    let residents = scenario.rows::<Resident>();
    assert_eq!(residents.len(), 2);
    assert_eq!(
        scenario.row::<Sold>("pears").map(|row| row.quantity),
        Some(5)
    );
    assert_eq!(scenario.row::<Sold>("plums"), None);
}

#[test]
#[should_panic(expected = "projection `sales` fails: the handler panicked: a cursed product")]
fn a_handler_that_panics_fails_the_scenario() {
    let sku = super::sales::PANICS.to_owned();
    let event = ShopEvent::Sold { sku, quantity: 1 };
    let _ = ProjectionScenario::<Sales>::new().given::<super::Shop>("a", [event]);
}
