//! A runtime on one thread, on a store in memory that outlives it.

use std::future::Future;

use statefn::entity::Behavior;
use statefn::store::{Batch, Member, Memory, OwnerEpoch, PersistenceId, SequenceNumber, Store};
use statefn::testing::VirtualClock;
use statefn::{Limits, Runtime, Timestamp};
use statefn_store::{NewEvent, Outcome};

/// Runs `work` on a tokio runtime of its own.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut tokio = tokio::runtime::Builder::new_current_thread();
    tokio.enable_time().build().unwrap().block_on(work)
}

/// Opens a runtime of `E` on `store`; time stands still. Only of `E`: a start looks at each type's
/// shape, which takes longer than most inputs.
pub(crate) async fn open<E: Behavior>(store: &Memory, limits: Limits) -> Runtime {
    let builder = Runtime::builder().store(store.clone()).only::<(E,)>();
    let builder = builder.limits(limits).shards(2).env(VirtualClock::new());
    builder.build().await.unwrap()
}

/// A member of `basket/id` with these events, when it has `expected` of them.
pub(crate) fn member(id: &str, expected: u64, events: Vec<NewEvent>) -> Member {
    let id = PersistenceId::new("basket", id);
    let mut member = Member::new(id, SequenceNumber::new(expected), Timestamp::from_millis(5));
    member.events = events;
    member
}

/// Claims the store and commits members that it must take.
pub(crate) async fn store_all(store: &Memory, members: Vec<Member>) -> OwnerEpoch {
    let epoch = store.claim().await.unwrap();
    let outcomes = store.commit(Batch { epoch, members }).await.unwrap();
    for outcome in outcomes {
        assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome:?}");
    }
    epoch
}
