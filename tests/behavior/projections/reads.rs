//! Pages, indexes, and reads that wait for what was written.

use std::time::Duration;

use statefn::ReadError;
use statefn::reading::Continuation;
use statefn::store::Offset;
use statefn_store::testing::Call;

use super::sales::{FAILS, Shop, Sold, shops};
use crate::kit::{World, pending, settle};

/// Products `p00` to `p19`, sold so often that five have each quantity.
async fn stocked() -> World {
    let world = shops().await;
    for number in 0..20 {
        let sku = format!("p{number:02}");
        world.sell("a", &sku, number % 4).await;
    }
    world.runtime.settle().await;
    world
}

fn names(rows: &[Sold]) -> Vec<&str> {
    rows.iter().map(|row| row.sku.as_str()).collect()
}

#[statefn::test]
async fn rows_come_in_the_order_of_keys_in_ranges_and_pages() {
    let world = stocked().await;
    let view = world.runtime.view::<Sold>();
    let all = view.rows().page().await.unwrap();
    assert_eq!((all.rows.len(), &all.next), (20, &None));
    assert_eq!(all.offset, Offset::new(20));
    let range = view.range("p03".to_owned().."p06".to_owned());
    assert_eq!(
        names(&range.page().await.unwrap().rows),
        ["p03", "p04", "p05"]
    );
    let last = view.rows().descending().limit(2).page().await.unwrap();
    assert_eq!(names(&last.rows), ["p19", "p18"]);
    let next = view.rows().descending().limit(2).behind(last.next.unwrap());
    assert_eq!(names(&next.page().await.unwrap().rows), ["p17", "p16"]);
}

#[statefn::test]
async fn an_index_orders_by_its_values_then_by_keys() {
    let world = stocked().await;
    let view = world.runtime.view::<Sold>();
    let (mut seen, mut next): (Vec<String>, Option<Continuation>) = (Vec::new(), None);
    loop {
        let mut query = view.index(Sold::QUANTITY).descending().limit(3);
        if let Some(next) = next {
            query = query.behind(next);
        }
        let page = query.page().await.unwrap();
        assert!(page.rows.len() <= 3);
        seen.extend(page.rows.into_iter().map(|row| row.sku));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 20);
    assert_eq!(seen[..6], ["p19", "p15", "p11", "p07", "p03", "p18"]);
    let two = view.index_range(Sold::QUANTITY, 2..3).page().await.unwrap();
    assert_eq!(names(&two.rows), ["p02", "p06", "p10", "p14", "p18"]);
    // A row that changes moves in the index.
    world.sell("a", "p02", 100).await;
    world.runtime.settle().await;
    let best = view.index(Sold::QUANTITY).descending().limit(1);
    assert_eq!(names(&best.page().await.unwrap().rows), ["p02"]);
    let two = view
        .index_range(Sold::QUANTITY, 2..=2)
        .page()
        .await
        .unwrap();
    assert_eq!(two.rows.len(), 4);
}

#[statefn::test]
async fn a_read_after_a_position_waits_for_the_projection() {
    let world = shops().await;
    world.runtime.settle().await;
    let hold = world.store.hold(Call::Project);
    world.sell("a", "pears", 1).await;
    let view = world.runtime.view::<Sold>();
    assert_eq!(view.get("pears").await.unwrap(), None, "not folded yet");
    let after = view.after(Offset::new(1));
    let read = pending(async { after.get("pears").await });
    settle().await;
    hold.release();
    let row = read.await.unwrap().unwrap();
    assert_eq!(row.quantity, 1);
}

#[statefn::test]
async fn a_read_that_waits_too_long_says_where_the_projection_stands() {
    let world = shops().await;
    world.runtime.settle().await;
    let view = world.runtime.view::<Sold>().after(Offset::new(5));
    let read = pending(async { view.within(Duration::from_secs(1)).get("pears").await });
    world.pass(Duration::from_secs(1)).await;
    let behind = read.await;
    let Err(ReadError::Behind {
        projection,
        offset,
        wanted,
    }) = behind
    else {
        panic!("{behind:?}");
    };
    assert_eq!((projection, offset.get(), wanted.get()), ("sales", 0, 5));
}

#[statefn::test]
async fn a_read_behind_an_entry_at_which_the_projection_stopped_says_so() {
    let world = shops().await;
    world.sell("a", "pears", 1).await;
    world.sell("a", FAILS, 1).await;
    world.runtime.settle().await;
    let after = world.runtime.view::<Sold>().after(Offset::new(2));
    let read = pending(async { after.get("pears").await });
    world.pass(Duration::from_secs(5)).await;
    let stopped = read.await;
    let Err(ReadError::Stopped { at, .. }) = stopped else {
        panic!("{stopped:?}");
    };
    assert_eq!(at.offset, Offset::new(2));
    assert!(at.reason.contains("cannot be counted"), "{}", at.reason);
    // What was folded before can be read.
    assert_eq!(world.sold("pears").await, Some(1));
}

#[statefn::test]
async fn a_reply_carries_a_position_behind_which_a_view_includes_it() {
    let world = shops().await;
    world.runtime.settle().await;
    for round in 1..=20 {
        let shop = world.runtime.entity::<Shop>("a");
        let ((), position) = shop.sell("pears", 1).with_position().await.unwrap();
        let view = world.runtime.view::<Sold>().after(position);
        assert_eq!(view.get("pears").await.unwrap().unwrap().quantity, round);
        assert!(world.runtime.position() >= position);
    }
}
