//! The lists of entities and of their types.

use super::draft::{Draft, cart};
use super::stored::awkward_texts;
use super::trial::{Trial, same};
use crate::PersistenceId;
use crate::testing::Fixture;

async fn page(
    trial: &Trial<'_>,
    after: Option<&PersistenceId>,
    limit: usize,
) -> Vec<PersistenceId> {
    match trial.store.entities(after, limit).await {
        Ok(page) => page,
        Err(error) => panic!("the entities after {after:?} cannot be listed: {error:?}"),
    }
}

/// Entities with awkward names in two types.
async fn populated(fixture: &dyn Fixture) -> Trial<'_> {
    let mut trial = Trial::open(fixture).await;
    let mut ids: Vec<_> = awkward_texts().into_iter().map(|id| cart(&id)).collect();
    ids.extend(["cart", "car", "carts", "Cart", "user"].map(|t| PersistenceId::new(t, "a")));
    let members = ids.iter().map(|id| Draft::new(id, 0).events(1).done());
    trial.commit(members.collect::<Vec<_>>()).await;
    trial
}

/// Pages of any size, one after another, are all entities in order of type and id, by bytes.
pub(super) async fn entities_page_in_order(fixture: &dyn Fixture) {
    let trial = populated(fixture).await;
    let all = trial.model.entities();
    for limit in [1, 2, 7, all.len(), all.len() + 1] {
        let mut seen: Vec<PersistenceId> = Vec::new();
        loop {
            let next = page(&trial, seen.last(), limit).await;
            assert!(
                next.len() <= limit,
                "a page of {} above {limit}",
                next.len()
            );
            if next.is_empty() {
                break;
            }
            seen.extend(next);
            assert!(seen.len() <= all.len(), "pages of {limit} do not end");
        }
        same(&seen, &all, &format!("pages of {limit}"));
    }
}

/// A page may start after an entity that does not exist.
pub(super) async fn entities_page_after_an_absent_one(fixture: &dyn Fixture) {
    let trial = populated(fixture).await;
    let all = trial.model.entities();
    for (entity_type, id) in [
        ("", ""),
        ("cart", ""),
        ("cart", "a\0a"),
        ("cart", "\u{10FFFF}z"),
        ("d", ""),
    ] {
        let after = PersistenceId::new(entity_type, id);
        let expected: Vec<_> = all.iter().filter(|id| **id > after).cloned().collect();
        let got = page(&trial, Some(&after), usize::MAX).await;
        same(&got, &expected, &format!("the entities after {after:?}"));
    }
    let last = PersistenceId::new("zebra", "z");
    assert!(page(&trial, Some(&last), 10).await.is_empty());
    assert!(page(&trial, None, 0).await.is_empty(), "a page of none");
}

/// An entity is listed once it has an entry of any kind; a refused or empty member is none.
pub(super) async fn entities_without_entries_are_not_listed(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    assert!(page(&trial, None, 10).await.is_empty(), "of an empty store");
    let members = vec![
        Draft::new(&cart("empty"), 0).done(),
        Draft::new(&cart("record"), 0).record("k").done(),
        Draft::new(&PersistenceId::new("user", "refused"), 1)
            .events(1)
            .done(),
        Draft::new(&cart("event"), 0).events(1).done(),
    ];
    trial.commit(members).await;
    let _ = trial.load(&cart("looked at"), super::tape::Wish::ALL).await;
    let listed = page(&trial, None, 10).await;
    same(&listed, &[cart("event"), cart("record")], "the entities");
    trial.check().await;
}

/// Each type once, sorted by bytes.
pub(super) async fn entity_types_are_sorted(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    for _ in 0..2 {
        for entity_type in ["b", "a", "ü", "a\0", "B", "aa"] {
            let id = PersistenceId::new(entity_type, "x");
            let member = trial.next(&id).events(1).done();
            trial.commit(vec![member]).await;
        }
    }
    let Ok(types) = trial.store.entity_types().await else {
        panic!("the types cannot be listed");
    };
    let types: Vec<&str> = types.iter().map(crate::EntityType::as_str).collect();
    assert_eq!(types, ["B", "a", "a\0", "aa", "b", "ü"]);
}
