//! P9: a panic or a stuck handler stops one entity, not its neighbours.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::{CallError, Overload, Persisted};
use statefn_store::testing::Call;

use crate::account::{Account, AccountRef};
use crate::kit::{Events, World, at_once, millis, overloaded, pending, persisted};
use crate::sleeper::{Sleeper, Stop};

fn panicked<T: std::fmt::Debug, E: std::fmt::Debug>(answer: Result<T, CallError<E>>) -> String {
    match answer {
        Err(CallError::Panicked { message, .. }) => message.to_string(),
        other => panic!("expected a panic, got {other:?}"),
    }
}

#[statefn::test]
async fn p9_a_panic_of_a_handler_changes_nothing_and_stops_nobody() {
    let world = World::build(|builder| builder.only::<(Account,)>().shards(1)).await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    assert_eq!(alice.add(1).await, Ok(1));
    assert_eq!(bob.add(1).await, Ok(1));
    assert_eq!(panicked(alice.panic("no coffee").await), "no coffee");
    assert_eq!(panicked(alice.curse().await), "a cursed event");
    assert_eq!(panicked(alice.panic_then().await), "no reply from 1000001");
    assert_eq!(panicked(alice.panic_query().await), "asked for 1");
    assert_eq!(world.journal("alice").await.len(), 1);
    assert_eq!(at_once(bob.total()), Ok(1), "bob never left memory");
    assert_eq!(alice.add(1).await, Ok(2));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p9_a_panic_discards_only_what_it_has_touched() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(1).await, Ok(1));
    let hold = world.store.hold(Call::Commit);
    let before = pending(alice.add(2));
    let panics = pending(alice.curse());
    // These wait until the write before the panic has committed, and then for the recovery.
    let after = pending(alice.add(4));
    let query = pending(alice.moves());
    hold.release();
    assert_eq!(before.now().await, Ok(3));
    assert_eq!(panicked(panics.now().await), "a cursed event");
    assert_eq!(after.now().await, Ok(7));
    assert_eq!(query.now().await, Ok(vec![1, 2, 4]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p9_five_panics_within_ten_seconds_close_the_entity_for_a_while() {
    let world = World::new().await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    assert_eq!(alice.add(1).await, Ok(1));
    for _ in 0..5 {
        assert_eq!(alice.total().await, Ok(1), "open until the fifth");
        assert_eq!(panicked(alice.panic("again").await), "again");
    }
    assert_eq!(alice.total().await, overloaded(Overload::Panics));
    assert_eq!(alice.add(1).await, overloaded(Overload::Panics));
    assert_eq!(bob.add(1).await, Ok(1));
    world.clock.advance(millis(999));
    assert_eq!(alice.total().await, overloaded(Overload::Panics));
    world.clock.advance(millis(1));
    assert_eq!(alice.total().await, Ok(1), "back after a second");
    assert_eq!(panicked(alice.panic("again").await), "again");
    assert_eq!(alice.total().await, overloaded(Overload::Panics));
    world.clock.advance(millis(1_999));
    assert_eq!(
        alice.total().await,
        overloaded(Overload::Panics),
        "twice as long now"
    );
    world.clock.advance(millis(1));
    assert_eq!(alice.add(1).await, Ok(2));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p9_panics_far_apart_do_not_close_the_entity() {
    let world = World::new().await;
    let alice = world.account("alice");
    for _ in 0..20 {
        assert_eq!(panicked(alice.panic("again").await), "again");
        world.clock.advance(millis(2_501));
        assert_eq!(alice.total().await, Ok(0));
    }
}

#[statefn::test]
async fn p9_commands_that_wait_behind_the_fifth_panic_are_refused_not_lost() {
    let world = World::new().await;
    let alice = world.account("alice");
    let hold = world.store.hold(Call::Load);
    let panics: Vec<_> = (0..5).map(|_| pending(alice.panic("again"))).collect();
    let after = pending(alice.add(1));
    hold.release();
    for call in panics {
        assert_eq!(panicked(call.now().await), "again");
    }
    assert_eq!(after.now().await, overloaded(Overload::Panics));
    world.assert_quiet().await;
}

/// Panics when it is written if its number is 13.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
struct Shy(u8);

impl Serialize for Shy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(self.0 != 13, "thirteen is not written");
        self.0.serialize(serializer)
    }
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
enum Change {
    Set { shy: Shy },
    SetTo { number: u8 },
}

#[entity(event_sourced, name = "recluse", snapshot_every = 2, shape = "recluse")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Recluse {
    shy: Shy,
}

#[entity]
impl Recluse {
    #[command]
    fn set(&self, ctx: &mut Context<Self>, number: u8) {
        ctx.emit(Change::Set { shy: Shy(number) });
    }

    #[command]
    fn set_to(&self, ctx: &mut Context<Self>, number: u8) {
        ctx.emit(Change::SetTo { number });
    }

    #[command]
    fn pass(&self, shy: Shy) -> u8 {
        shy.0
    }

    #[command]
    fn answer(&self, ctx: &mut Context<Self>, number: u8) -> Shy {
        ctx.emit(Change::SetTo { number: 1 });
        Shy(number)
    }

    #[command]
    fn refuse(&self, number: u8) -> Result<(), Shy> {
        Err(Shy(number))
    }

    #[query]
    fn number(&self) -> u8 {
        self.shy.0
    }

    #[event_handler]
    fn apply(&mut self, change: &Change) {
        self.shy = match change {
            Change::Set { shy } => shy.clone(),
            Change::SetTo { number } => Shy(*number),
        };
    }
}

#[statefn::test]
async fn p9_a_panic_while_something_is_written_leaves_nothing() {
    const WORD: &str = "thirteen is not written";
    let world = World::build(statefn::Builder::only::<(Recluse,)>).await;
    let recluse = world.runtime.entity::<Recluse>("r");
    assert_eq!(recluse.set(3).await, Ok(()));
    assert_eq!(panicked(recluse.set(13).await), WORD);
    assert_eq!(panicked(recluse.answer(13).with_key("k").await), WORD);
    assert_eq!(panicked(recluse.refuse(13).with_key("k").await), WORD);
    assert_eq!(panicked(recluse.pass(Shy(13)).with_key("k").await), WORD);
    assert_eq!(recluse.number().await, Ok(3));
    world.clock.advance(Duration::from_secs(100));
    // What is not stored need not be written.
    assert_eq!(recluse.pass(Shy(13)).await, Ok(13));
    assert_eq!(recluse.answer(13).await, Ok(Shy(13)));
    assert_eq!(recluse.number().await, Ok(1));
    assert_eq!(
        recluse.pass(Shy(4)).with_key("k").await,
        Ok(4),
        "the key is free"
    );
    world.assert_quiet().await;
}

#[statefn::test]
async fn p9_arguments_that_cannot_be_written_may_wait_in_a_queue() {
    let world = World::build(statefn::Builder::only::<(Recluse,)>).await;
    let recluse = world.runtime.entity::<Recluse>("r");
    let hold = world.store.hold(Call::Load);
    let call = pending(recluse.pass(Shy(13)));
    hold.release();
    assert_eq!(call.now().await, Ok(13));
}

#[statefn::test]
async fn p9_a_snapshot_that_panics_is_left_out() {
    let world = World::build(statefn::Builder::only::<(Recluse,)>).await;
    let recluse = world.runtime.entity::<Recluse>("r");
    for _ in 0..3 {
        assert_eq!(
            recluse.set_to(13).await,
            Ok(()),
            "a snapshot is due with every second one"
        );
        assert_eq!(recluse.set_to(13).await, Ok(()));
    }
    world.runtime.crash().await.unwrap();
    assert_eq!(recluse.number().await, Ok(13));
}

#[statefn::test]
async fn p9_a_handler_that_does_not_return_is_reported_and_others_go_on() {
    let events = Events::collect();
    let shape = |builder: statefn::Builder| builder.only::<(Sleeper, Account)>().shards(2);
    let world = World::build(shape).await;
    let sleeper = world.runtime.entity::<Sleeper>("stuck");
    assert_eq!(sleeper.waited().await, Ok(0));
    let neighbours: Vec<AccountRef> = (0..20).map(|n| world.account(&n.to_string())).collect();
    for account in &neighbours {
        assert_eq!(account.total().await, Ok(0));
    }
    let stop = Stop::prepare("stuck");
    let stuck = {
        let sleeper = sleeper.clone();
        std::thread::spawn(move || sleeper.wait_here().wait())
    };
    stop.reached();

    let mut elsewhere = 0;
    let mut behind_it = Vec::new();
    for account in neighbours {
        let mut call = Box::pin(account.add(1).into_future());
        match crate::kit::poll(&mut call) {
            Some(answer) => assert_eq!(answer, Ok(1)),
            None => behind_it.push(call),
        }
        elsewhere += 1;
    }
    assert!(
        !behind_it.is_empty() && behind_it.len() < elsewhere,
        "two shards"
    );
    world.pass(millis(1_000)).await;
    assert!(
        !events.has("a handler does not return"),
        "not before a second"
    );
    world.pass(millis(500)).await;
    assert!(events.has("a handler does not return"));
    world.pass(Duration::from_secs(20)).await;
    assert!(
        events.count("a handler does not return") < 10,
        "a report, not a flood"
    );
    // Who waits for the stuck shard does not wait for ever.
    world.pass(Duration::from_secs(12)).await;
    for mut call in behind_it {
        let answer = crate::kit::poll(&mut call).expect("an answer, not a hang");
        assert_eq!(answer, Err(CallError::Timeout));
    }
    stop.let_go();
    assert_eq!(stuck.join().unwrap(), Ok(1));
    assert_eq!(sleeper.waited().await, Ok(1));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p9_a_deadline_passes_while_the_shard_is_stuck() {
    let world = World::build(|builder| builder.only::<(Sleeper, Account)>().shards(1)).await;
    let sleeper = world.runtime.entity::<Sleeper>("stuck with a deadline");
    let alice = world.account("alice");
    assert_eq!(sleeper.waited().await, Ok(0));
    assert_eq!(alice.total().await, Ok(0));
    let stop = Stop::prepare("stuck with a deadline");
    let stuck = std::thread::spawn(move || sleeper.wait_here().wait());
    stop.reached();
    let call = pending(alice.add(1).with_deadline(millis(100)));
    let kept = pending(alice.add(2));
    world.pass(millis(100)).await;
    assert_eq!(call.now().await, Err(CallError::Timeout));
    stop.let_go();
    assert_eq!(stuck.join().unwrap(), Ok(1));
    assert_eq!(kept.now().await, Ok(2));
    assert_eq!(alice.moves().await, Ok(vec![2]), "what timed out never ran");
}

/// A store that panics when it is told to.
mod panicky {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use async_trait::async_trait;
    use statefn::store::{
        Batch, CommitError, DeadLetter, Effect, EntityType, Entry, LoadError, Loaded, Memory,
        Offset, OutboxNumber, Outcome, OwnerEpoch, PassedOver, PersistenceId, Projected,
        Projecting, ProjectionId, Replay, RowsFound, RowsWanted, Store, StoreFailure, StoreReport,
        StoredProjections, StoredRecord, Tending, Timer, Timestamp, ViewPage, ViewQuery,
    };

    #[derive(Clone, Debug, Default)]
    pub(super) struct Panicky {
        inner: Memory,
        /// Whether to wait before the panic, so that a task meets it.
        pub(super) later: Arc<AtomicBool>,
        pub(super) commit: Arc<AtomicBool>,
        pub(super) load: Arc<AtomicBool>,
        pub(super) find: Arc<AtomicBool>,
    }

    impl Panicky {
        async fn perhaps(&self, armed: &AtomicBool) {
            if armed.swap(false, Ordering::SeqCst) {
                if self.later.load(Ordering::SeqCst) {
                    tokio::task::yield_now().await;
                }
                panic!("the disk is on fire");
            }
        }
    }

    #[async_trait]
    impl Store for Panicky {
        async fn claim(&self) -> Result<OwnerEpoch, StoreFailure> {
            self.inner.claim().await
        }

        async fn commit(&self, batch: Batch) -> Result<Vec<Outcome>, CommitError> {
            self.perhaps(&self.commit).await;
            self.inner.commit(batch).await
        }

        async fn erase(
            &self,
            epoch: OwnerEpoch,
            id: &PersistenceId,
            records_from: Timestamp,
        ) -> Result<u64, CommitError> {
            self.inner.erase(epoch, id, records_from).await
        }

        async fn load(
            &self,
            id: &PersistenceId,
            replay: Box<dyn Replay>,
        ) -> Result<Loaded, LoadError> {
            self.perhaps(&self.load).await;
            self.inner.load(id, replay).await
        }

        async fn find_record(
            &self,
            id: &PersistenceId,
            key: &str,
            newest: Offset,
        ) -> Result<Option<StoredRecord>, LoadError> {
            self.perhaps(&self.find).await;
            self.inner.find_record(id, key, newest).await
        }

        async fn read(&self, from: Offset, limit: usize) -> Result<Vec<Entry>, LoadError> {
            self.inner.read(from, limit).await
        }

        async fn entities(
            &self,
            after: Option<&PersistenceId>,
            limit: usize,
        ) -> Result<Vec<PersistenceId>, StoreFailure> {
            self.inner.entities(after, limit).await
        }

        async fn entity_types(&self) -> Result<Vec<EntityType>, StoreFailure> {
            self.inner.entity_types().await
        }

        async fn effects(
            &self,
            after: OutboxNumber,
            limit: usize,
        ) -> Result<Vec<Effect>, StoreFailure> {
            self.inner.effects(after, limit).await
        }

        async fn dead_letters(
            &self,
            after: OutboxNumber,
            limit: usize,
        ) -> Result<Vec<DeadLetter>, StoreFailure> {
            self.inner.dead_letters(after, limit).await
        }

        async fn timers(&self, until: Timestamp, limit: usize) -> Result<Vec<Timer>, StoreFailure> {
            self.inner.timers(until, limit).await
        }

        async fn tend(
            &self,
            epoch: OwnerEpoch,
            changes: Vec<Tending>,
        ) -> Result<Vec<bool>, CommitError> {
            self.inner.tend(epoch, changes).await
        }

        async fn projections(&self) -> Result<StoredProjections, StoreFailure> {
            self.inner.projections().await
        }

        async fn project(
            &self,
            epoch: OwnerEpoch,
            change: Projecting,
        ) -> Result<Projected, CommitError> {
            self.inner.project(epoch, change).await
        }

        async fn rows(&self, wanted: RowsWanted) -> Result<Option<RowsFound>, StoreFailure> {
            self.inner.rows(wanted).await
        }

        async fn view(&self, query: ViewQuery) -> Result<Option<ViewPage>, StoreFailure> {
            self.inner.view(query).await
        }

        async fn passed_over(
            &self,
            id: &ProjectionId,
            after: Offset,
            limit: usize,
        ) -> Result<Vec<PassedOver>, StoreFailure> {
            self.inner.passed_over(id, after, limit).await
        }

        async fn verify(&self) -> Result<StoreReport, StoreFailure> {
            self.inner.verify().await
        }

        async fn close(&self) -> Result<(), StoreFailure> {
            self.inner.close().await
        }
    }
}

#[statefn::test]
async fn p9_a_store_that_panics_is_an_answer() {
    use std::sync::atomic::Ordering::SeqCst;
    for later in [false, true] {
        let store = panicky::Panicky::default();
        store.later.store(later, SeqCst);
        let over = statefn_store::testing::Faulty::new(store.clone());
        let world = World::over(over, statefn::Builder::only::<(Account,)>).await;
        let (alice, bob) = (world.account("alice"), world.account("bob"));
        assert_eq!(alice.add(1).with_key("k").await, Ok(1));
        assert_eq!(bob.total().await, Ok(0));

        store.commit.store(true, SeqCst);
        let answer = alice.add(1).await;
        assert_eq!(persisted(&answer), Persisted::Unknown);
        assert!(
            format!("{answer:?}").contains("the disk is on fire"),
            "{answer:?}"
        );
        assert_eq!(bob.add(1).await, Ok(1));

        world.runtime.crash().await.unwrap();
        store.load.store(true, SeqCst);
        let answer = alice.add(1).await;
        assert!(
            matches!(answer, Err(CallError::Unavailable { .. })),
            "{answer:?}"
        );
        assert_eq!(alice.add(1).await, Ok(2));

        store.find.store(true, SeqCst);
        let answer = alice.add(1).with_key("k").await;
        assert!(
            matches!(answer, Err(CallError::Unavailable { .. })),
            "{answer:?}"
        );
        assert_eq!(alice.add(1).with_key("k").await, Ok(1));
        assert_eq!(alice.moves().await, Ok(vec![1, 1]));
        world.assert_quiet().await;
    }
}

#[test]
fn p9_a_runtime_that_goes_away_under_a_call_is_an_answer() {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (runtime, hold) = tokio.block_on(async {
        let store = statefn_store::testing::Faulty::new(Memory::new());
        let builder = statefn::Runtime::builder().store(store.clone());
        let runtime = builder.only::<(Account,)>().build().await.unwrap();
        assert_eq!(runtime.entity::<Account>("alice").total().await, Ok(0));
        (runtime, Arc::new(store.hold(Call::Commit)))
    });
    let caller = {
        let account = runtime.entity::<Account>("alice");
        std::thread::spawn(move || account.add(1).wait())
    };
    tokio.block_on(hold.reached(1));
    drop(tokio);
    assert_eq!(persisted(&caller.join().unwrap()), Persisted::Unknown);
}
