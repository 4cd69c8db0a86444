//! Async commands of an entity whose state is stored whole change a copy of it.

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

use super::courier::Door;
use crate::kit::{World, millis, pending};

#[entity(crud, name = "shelf")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Shelf {
    books: Vec<String>,
}

#[entity]
impl Shelf {
    /// Changes the state on both sides of a wait.
    #[command]
    async fn put(&mut self, ctx: &mut Context<Self>, book: String) -> Result<usize, String> {
        self.books.push(book.clone());
        Door::of(ctx.id()).pass().await;
        self.books.push(format!("index of {book}"));
        if book.is_empty() {
            return Err("a book has a title".to_owned());
        }
        Ok(self.books.len())
    }

    #[command]
    async fn clear(&mut self, ctx: &mut Context<Self>) {
        Door::of(ctx.id()).pass().await;
        ctx.delete();
    }

    #[query]
    fn books(&self) -> Vec<String> {
        self.books.clone()
    }
}

#[statefn::test]
async fn p4_an_async_command_changes_a_whole_state_at_its_end_or_not_at_all() {
    let world = World::build(statefn::Builder::only::<(Shelf,)>).await;
    let (shelf, door) = (world.runtime.entity::<Shelf>("hall"), Door::of("hall"));
    let late = pending(shelf.put("lost").with_deadline(millis(500)));
    world.pass(millis(500)).await;
    assert_eq!(late.now().await, Err(CallError::Timeout));
    door.open();
    let refused = shelf.put("").await;
    assert!(
        matches!(refused, Err(CallError::Rejected(_))),
        "{refused:?}"
    );
    assert_eq!(shelf.books().await, Ok(vec![]));
    door.open();
    assert_eq!(shelf.put("Dune").await, Ok(2));
    world.runtime.crash().await.unwrap();
    let books = vec!["Dune".to_owned(), "index of Dune".to_owned()];
    assert_eq!(shelf.books().await, Ok(books));
    door.open();
    shelf.clear().await.unwrap();
    world.runtime.crash().await.unwrap();
    assert_eq!(shelf.books().await, Ok(vec![]));
    world.assert_quiet().await;
}
