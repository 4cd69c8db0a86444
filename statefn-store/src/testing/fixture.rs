//! What the conformance suite needs from whoever brings a backend.

use std::pin::Pin;
use std::sync::Arc;

use super::block_on;
use crate::{Offset, PersistenceId, Store};

/// A future of the suite; it need not move between threads.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// One place where a backend keeps one store, made anew for every clause.
///
/// A closure that makes an empty store is a fixture; that is enough for the clauses that every
/// backend must keep. Write a type of your own when stores survive being closed: then
/// `conformance!(MyFixture::new(), reopen, crash, damage)` adds the clauses for what it can do.
///
/// ```
/// use statefn_store::testing::{Fixture, block_on};
/// use statefn_store::{Memory, Store};
///
/// let fixture = || async { Memory::new() };
/// let epoch = block_on(async { fixture.open().await.claim().await });
/// assert_eq!(epoch.unwrap().get(), 1);
/// ```
pub trait Fixture: Send + Sync {
    /// Opens the store of this place: an empty one first, later what was stored before.
    ///
    /// The suite closes or crashes one store before it opens the next.
    fn open(&self) -> Work<'_, Arc<dyn Store>>;

    /// Ends the open store as `kill -9` would, between two instructions: the next
    /// [`open`](Self::open) sees what was on stable storage. The suite drops the old store later
    /// and no longer looks at what it does. Needed for `crash`.
    ///
    /// # Panics
    ///
    /// By default: the fixture cannot do it.
    fn crash(&self) {
        panic!("this fixture cannot crash a store");
    }

    /// Changes stored bytes of the payload of the event at `offset`; no store is open meanwhile.
    /// Needed for `damage`.
    ///
    /// # Panics
    ///
    /// By default: the fixture cannot do it.
    fn damage(&self, offset: Offset) {
        panic!("this fixture cannot damage the entry at {offset}");
    }

    /// Changes stored bytes of the newest snapshot of `id`; no store is open meanwhile. Needed for
    /// `damage_snapshot`.
    ///
    /// # Panics
    ///
    /// By default: the fixture cannot do it.
    fn damage_snapshot(&self, id: &PersistenceId) {
        panic!("this fixture cannot damage the snapshot of {id}");
    }

    /// Makes the next commit of the open store fail as a broken device would: with everything of it
    /// stored (`applied`) or nothing. [`Faulty`](super::Faulty) around the store can do that.
    /// Needed for `fail`.
    ///
    /// # Panics
    ///
    /// By default: the fixture cannot do it.
    fn fail(&self, applied: bool) {
        panic!("this fixture cannot fail a commit (applied: {applied})");
    }

    /// Runs a future to its end. A backend that needs an async runtime enters it here; the suite
    /// calls this from several threads at once.
    fn run(&self, work: Work<'_, ()>) {
        block_on(work);
    }
}

impl<F, Opened, S> Fixture for F
where
    F: Fn() -> Opened + Send + Sync,
    Opened: Future<Output = S>,
    S: Store,
{
    fn open(&self) -> Work<'_, Arc<dyn Store>> {
        Box::pin(async move { Arc::new(self().await) as Arc<dyn Store> })
    }
}
